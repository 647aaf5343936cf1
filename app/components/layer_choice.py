"""Choosing the layer pair: two lists with shapes, and a measured map of every pair's CKA to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend import data
from app.backend.machine import machine
from app.components.layer_map import pickable_layer_map
from app.form.drafts import between
from app.form.estimates import analyze_seconds
from app.words.intervals import rounded
from bird_backend import catalog
from bird_backend.durations import rough
from bird_backend.specs import ModelRef

__all__ = ["further_pairs", "layer_lists", "layer_map_section", "layer_map_words", "shape_words"]

_MOST_PAIRS = 16
_WORTH_ASKING_SECONDS = 12.0
"""A map that takes less is measured without being asked for, while nothing else runs."""


def shape_words(shape: tuple[int, ...]) -> str:
    """`32 × 8 × 8` for maps, `64 tokens × 64`, `64 features`."""
    if len(shape) == 1:
        return f"{shape[0]} features"
    if len(shape) == 2:
        return f"{shape[0]} tokens × {shape[1]}"
    return " × ".join(str(size) for size in shape)


def layer_lists(teacher: str, student: str, *, fallback: tuple[str, str]) -> tuple[str, str]:
    """Draw the two lists for the networks `teacher` and `student`; returns the guiding and the guided layer."""
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


def further_pairs(teacher: str, student: str, *, chosen: tuple[str, str]) -> tuple[str, ...]:
    """Draw the list of pairs that are matched beside the `chosen` one, all with equal weight."""
    layers = [[layer.name for layer in catalog.find_model(network).layers] for network in (teacher, student)]
    options = [between(guiding, guided) for guiding in layers[0] for guided in layers[1] if (guiding, guided) != chosen]
    st.session_state["more"] = [pair for pair in st.session_state["more"] if pair in options][: _MOST_PAIRS - 1]
    picked = st.multiselect(
        "Further pairs",
        options,
        key="more",
        max_selections=_MOST_PAIRS - 1,
        placeholder="none: one pair of layers is matched",
        help="Several pairs are matched at once, each with the same weight.",
    )
    return tuple(str(pair) for pair in picked)


def layer_map_section(data_name: str, teacher: ModelRef, student: ModelRef, *, seed: int) -> None:
    """Every pair's CKA before any training: measured, being measured, failed, or a button that asks for it."""
    run = data.find_layer_map(data_name, teacher, student, seed=seed)
    seconds = analyze_seconds(teacher, student, machine())
    local = data_name in catalog.DATASETS and not catalog.DATASETS[data_name].network
    if run is None and local and seconds < _WORTH_ASKING_SECONDS and not _busy():
        run, _ = data.layer_map(data_name, teacher, student, seed=seed)
    if run is None:
        _ask(data_name, teacher, student, seed, f"Measure every pair ({rough(seconds)})")
    elif run.state in ("failed", "cancelled"):
        st.warning(f"The layers were not measured. {run.reason or 'The run was stopped.'}", icon=":material/error:")
        _ask(data_name, teacher, student, seed, "Measure again", retry=True)
    elif run.state == "done":
        _, frame = data.layer_map(data_name, teacher, student, seed=seed)
        if frame is not None:
            _show(run.id, frame, teacher, student)
    else:
        st.fragment(_measuring, run_every=1)(run.id)


def _list(key: str, network: str, fallback: str, label: str, help: str) -> str:
    facts = catalog.find_model(network)
    layers = {layer.name: layer.shape for layer in facts.layers}
    names = list(layers)
    missing = keep_valid(key, names, fallback if fallback in names else names[(len(names) - 1) // 2])
    same = facts.same_pooled if st.session_state.get("pooling", "mean") == "mean" else {}

    def words(name: str) -> str:
        return f"{name} · {shape_words(layers[name])}" + (f", the mean of {same[name]}" if name in same else "")

    chosen: str = st.selectbox(label, names, format_func=words, key=key, help=help)
    if missing:
        st.caption(f":orange[{facts.title} has no layer {missing}, so this one stands in.]")
    return chosen


def _busy() -> bool:
    return bool(data.active_runs())


def _ask(data_name: str, teacher: ModelRef, student: ModelRef, seed: int, label: str, *, retry: bool = False) -> None:
    st.caption("Not measured yet: how alike the two networks' layers are before any training.")
    if st.button(label, icon=":material/grid_on:", key="measure"):
        data.layer_map(data_name, teacher, student, seed=seed, retry=retry)
        st.rerun()


def _measuring(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        st.rerun()
        return
    progress = data.progress(run) or {}
    waiting = run.state == "queued"
    words = "Waiting for the device" if waiting else progress.get("phase") or "Starting"
    st.progress(float(progress.get("fraction") or 0.0), text=f"Measuring CKA of every pair of layers · {words}")
    st.caption("You need not wait for it: the map helps to choose, the lists above work without.")


def _show(run_id: str, frame: pd.DataFrame, teacher: ModelRef, student: ModelRef) -> None:
    chosen = (st.session_state["guiding"], st.session_state["guided"])
    facts = [catalog.find_model(reference.model) for reference in (teacher, student)]
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


def _left_out(facts: Sequence[catalog.ModelFacts]) -> str:
    """What is no row or column of the map, and what is one twice."""
    same = dict.fromkeys(
        f"{layer} of {one.title} is the mean of its {earlier}"
        for one in facts
        for layer, earlier in one.same_pooled.items()
    )
    said = "Every layer that can be aligned is here; what lies within a block, and the classifiers, are left out."
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
