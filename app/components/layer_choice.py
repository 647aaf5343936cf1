"""Choosing the layer pair: two lists with shapes, and a measured map of every pair's CKA to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend import data
from app.backend.machine import machine
from app.components.drawing_again import draw_again
from app.components.layer_map import pickable_layer_map
from app.form.drafts import apart, between
from app.form.estimates import analyze_seconds
from app.form.layer_levels import level_of, levels, stand_in
from app.words.intervals import rounded
from bird_backend import catalog
from bird_backend.catalog import LayerFacts, ModelFacts
from bird_backend.durations import rough
from bird_backend.experiments import AnalyzeSpec

__all__ = [
    "further_pairs",
    "layer_lists",
    "layer_map_section",
    "layer_map_words",
    "layer_words",
    "shape_words",
]

_MOST_PAIRS = 16
_MOST_OFFERED = 1500
_WORTH_ASKING_SECONDS = 12.0
"""A map that takes less is measured without being asked for, while nothing else runs."""


def layer_words(layer: LayerFacts) -> str:
    """Path, type of module and shape of a layer in one line."""
    parts = [layer.name, layer.kind, shape_words(layer.shape)]
    if layer.classifier:
        parts.append("the classifier")
    if layer.times > 1:
        parts.append(f"runs {layer.times} times, the last one counts")
    return " · ".join(part for part in parts if part)


def shape_words(shape: tuple[int, ...]) -> str:
    """`32 × 8 × 8` for maps, `64 tokens × 64`, `64 features`."""
    if len(shape) == 1:
        return f"{shape[0]} features"
    if len(shape) == 2:
        return f"{shape[0]} tokens × {shape[1]}"
    return " × ".join(str(size) for size in shape)


def layer_lists(
    teacher: ModelFacts | None, student: ModelFacts | None, *, fallback: tuple[str, str]
) -> tuple[str, str]:
    """Draw the two lists; returns the guiding and the guided layer.

    Of a network that nobody has looked at yet there is no list, and its layer stays as it is.
    """
    left, right = st.columns(2)
    with left:
        guiding = _list(
            "guiding",
            teacher,
            fallback[0],
            "Guiding layer, of the teacher",
            "The teacher's layer whose geometry is copied: which images it finds alike, and which not.",
        )
    with right:
        guided = _list(
            "guided",
            student,
            fallback[1],
            "Guided layer, of the student",
            "The student's layer that is drawn towards it. Layers before it learn from both losses, layers after it "
            "from the task alone.",
        )
    return guiding, guided


def further_pairs(teacher: ModelFacts, student: ModelFacts, *, chosen: tuple[str, str]) -> tuple[str, ...]:
    """Draw the list of pairs that are matched beside the `chosen` one, all with equal weight."""
    options = [pair for pair in _offered_pairs(teacher, student) if pair != between(*chosen)]
    asked = [pair for pair in st.session_state["more"] if pair != between(*chosen)]
    every = [{layer.name for layer in facts.layers} for facts in (teacher, student)]
    kept = [pair for pair in asked if all(name in names for name, names in zip(apart(pair), every, strict=True))]
    st.session_state["more"] = kept[: _MOST_PAIRS - 1]
    picked = st.multiselect(
        "Further pairs",
        list(dict.fromkeys((*options, *kept))),
        key="more",
        max_selections=_MOST_PAIRS - 1,
        placeholder="none: one pair of layers is matched",
        help="Several pairs are matched at once, each with the same weight. What the two lists above show can be "
        "paired.",
    )
    return tuple(str(pair) for pair in picked)


def _offered_pairs(teacher: ModelFacts, student: ModelFacts) -> list[str]:
    """Of the layers that the two lists show, or of coarser ones where that would be thousands."""
    lists = [levels(teacher), levels(student)]
    shown = [str(st.session_state.get(f"_{key}_level", "")) for key in ("guiding", "guided")]
    now = [each.get(level) or next(iter(each.values())) for each, level in zip(lists, shown, strict=True)]
    if len(now[0]) * len(now[1]) > _MOST_OFFERED:
        now = [next(iter(each.values())) for each in lists]
    return [between(guiding.name, guided.name) for guiding in now[0] for guided in now[1]]


def layer_map_section(asked: AnalyzeSpec, facts: tuple[ModelFacts, ModelFacts]) -> None:
    """Every pair's CKA before any training: measured, being measured, failed, or a button that asks for it.

    `facts` are the teacher's and the student's.
    """
    run = data.find_layer_map(asked)
    seconds = analyze_seconds(facts, machine())
    facts_of_data = catalog.known_dataset(asked.data)
    local = facts_of_data is not None and not facts_of_data.network
    if run is None and local and seconds < _WORTH_ASKING_SECONDS and not _busy():
        run, _ = data.layer_map(asked)
    if run is None:
        _ask(asked, f"Measure every pair ({rough(seconds)})")
    elif run.state in ("failed", "cancelled"):
        st.warning(f"The layers were not measured. {run.reason or 'The run was stopped.'}", icon=":material/error:")
        _ask(asked, "Measure again", retry=True)
    elif run.state == "done":
        _, frame = data.layer_map(asked)
        if frame is not None:
            _show(run.id, frame, facts)
    else:
        st.fragment(_measuring, run_every=1)(run.id)


def _list(key: str, facts: ModelFacts | None, fallback: str, label: str, help: str) -> str:
    if facts is None:
        st.caption(f"**{label}**: its layers are listed here once the network was looked at.")
        return str(st.session_state[key])
    lists, place = levels(facts), st.container()
    offered = _level(key, facts, lists)
    layers = {layer.name: layer for layer in offered}
    names = list(layers)
    asked = str(st.session_state.get(key, ""))
    missing = keep_valid(key, names, fallback if fallback in names else stand_in(asked, facts, offered))
    same = facts.same_pooled if st.session_state.get("pooling", "mean") == "mean" else {}

    def words(name: str) -> str:
        return layer_words(layers[name]) + (f", the mean of {same[name]}" if name in same else "")

    chosen: str = place.selectbox(label, names, format_func=words, key=key, help=help)
    if missing and missing != fallback:
        st.caption(f":orange[{facts.title} has no layer {missing}, so this one stands in.]")
    return chosen


def _level(key: str, facts: ModelFacts, lists: Mapping[str, tuple[LayerFacts, ...]]) -> tuple[LayerFacts, ...]:
    """How finely the layers are listed: coarsely, until the layer that is chosen, or the reader, asks for more."""
    level, names = f"_{key}_level", list(lists)
    coarsest = level_of(str(st.session_state.get(key, "")), lists) or names[0]
    now = str(st.session_state.get(level, ""))
    if st.session_state.get(f"{level}_of") != facts.name:  # how finely another network was listed says nothing of it
        st.session_state[f"{level}_of"], now = facts.name, ""
    if now not in lists or names.index(now) < names.index(coarsest):
        st.session_state[level] = coarsest
    if len(lists) == 1:
        return lists[names[0]]
    shown = st.segmented_control(
        f"How finely the {key} layers are listed",
        names,
        format_func=lambda name: name.format(len(lists[name])),
        key=level,
        required=True,
        on_change=_regroup,
        args=(key, facts),
        label_visibility="collapsed",
        help="By its stages, each by its last layer; by its blocks; or every module inside them.",
    )
    return lists[str(shown)]


def _regroup(key: str, facts: ModelFacts) -> None:
    """A coarser list may not have the layer that is chosen: the last one of its stage stands in."""
    offered = levels(facts)[str(st.session_state[f"_{key}_level"])]
    if st.session_state[key] not in [layer.name for layer in offered]:
        st.session_state[key] = stand_in(str(st.session_state[key]), facts, offered)


def _busy() -> bool:
    return bool(data.active_runs())


def _ask(asked: AnalyzeSpec, label: str, *, retry: bool = False) -> None:
    st.caption("Not measured yet: how alike the two networks' layers are before any training.")
    if st.button(label, icon=":material/grid_on:", key="measure"):
        data.layer_map(asked, retry=retry)
        draw_again()


def _measuring(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        draw_again()
    progress = data.progress(run) or {}
    waiting = run.state == "queued"
    words = "Waiting for the device" if waiting else progress.get("phase") or "Starting"
    st.progress(float(progress.get("fraction") or 0.0), text=f"Measuring CKA of every pair of layers · {words}")
    st.caption("You need not wait for it: the map helps to choose, the lists above work without.")


def _show(run_id: str, frame: pd.DataFrame, facts: tuple[ModelFacts, ModelFacts]) -> None:
    chosen = (st.session_state["guiding"], st.session_state["guided"])
    pickable_layer_map(frame, chosen, of=run_id, same=(facts[0].same_pooled, facts[1].same_pooled))
    st.caption(
        f"{layer_map_words(frame)} {_extremes(frame)} Press a cell to choose the pair; the framed one is chosen. "
        f"{_left_out(facts)}"
    )
    with st.expander("Show the numbers"):
        st.caption("Rows are the teacher's layers, columns the student's. Select a cell to choose its pair.")
        st.dataframe(
            frame.style.format(partial(rounded, digits=3)),
            key="layer_table",
            on_select=lambda: _selected(frame),
            selection_mode="single-cell",
            alt="CKA of each teacher layer with each student layer",
        )


def _left_out(facts: Sequence[ModelFacts]) -> str:
    """What is no row or column of the map, and what is one twice."""
    same = dict.fromkeys(
        f"{layer} of {one.title} is the mean of its {earlier}"
        for one in facts
        for layer, earlier in one.same_pooled.items()
    )
    said = "The blocks of both networks are here; what lies within a block, and the classifiers, are left out."
    return f"{said} With mean pooling {' and '.join(same)}: the same thing." if same else said


def _selected(frame: pd.DataFrame) -> None:
    cells = st.session_state["layer_table"].selection.cells
    if cells and cells[0][1] in frame.columns:
        put({"guiding": str(frame.index[cells[0][0]]), "guided": str(cells[0][1])})


def layer_map_words(frame: pd.DataFrame) -> str:
    """Estimator, kernel, n and null of a measured layer map."""
    null = np.asarray(frame.attrs["null"], dtype=float)
    low, high = (rounded(float(end), 2) for end in (null.min(), null.max()))
    spread = high if low == high else f"{low} to {high}"
    return (
        f"CKA ({frame.attrs['estimator']}, {frame.attrs['kernel']} kernel) on {frame.attrs['n']} validation images "
        f"before any training; with the images of one side shuffled it is {spread}."
    )


def _extremes(frame: pd.DataFrame) -> str:
    values = frame.to_numpy(dtype=float)
    row, column = divmod(int(values.argmax()), values.shape[1])
    return f"The most alike are {frame.index[row]} and {frame.columns[column]}, at {values.max():.2f}."
