"""Choosing the layer pair: two lists with shapes, and a measured map of every pair's CKA to choose from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend import data
from app.backend.machine import machine
from app.charts import layer_map
from app.form.drafts import between
from app.form.estimates import analyze_seconds, duration
from app.look.palette import swaps
from app.words.intervals import rounded
from bird_backend import catalog
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
        _ask(data_name, teacher, student, seed, f"Measure every pair ({duration(seconds)})")
    elif run.state in ("failed", "cancelled"):
        st.warning(f"The layers were not measured. {run.reason or 'The run was stopped.'}", icon=":material/error:")
        _ask(data_name, teacher, student, seed, "Measure again", retry=True)
    elif run.state == "done":
        _, frame = data.layer_map(data_name, teacher, student, seed=seed)
        if frame is not None:
            _show(frame)
    else:
        st.fragment(_measuring, run_every=1)(run.id)


def _list(key: str, network: str, fallback: str, label: str, help: str) -> str:
    facts = catalog.find_model(network)
    layers = {layer.name: layer.shape for layer in facts.layers}
    names = list(layers)
    missing = keep_valid(key, names, fallback if fallback in names else names[(len(names) - 1) // 2])
    chosen: str = st.selectbox(
        label, names, format_func=lambda name: f"{name} · {shape_words(layers[name])}", key=key, help=help
    )
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


def _show(frame: pd.DataFrame) -> None:
    chosen = (st.session_state["guiding"], st.session_state["guided"])
    figure = layer_map(frame, [chosen])
    x, y = np.meshgrid(frame.columns, frame.index)
    # Streamlit reports clicks on points, not on cells: unseen points lie over the cells.
    figure.add_scatter(
        x=x.ravel(),
        y=y.ravel(),
        mode="markers",
        marker={"size": 26, "symbol": "square", "opacity": 0.001},
        customdata=frame.to_numpy().ravel(),
        hovertemplate="teacher %{y} · student %{x}<br>CKA %{customdata:.3f}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(clickmode="event+select", dragmode=False)
    st.plotly_chart(
        _themed(figure),
        theme=None,
        key="layer_map",
        on_select=_clicked,
        selection_mode="points",
        config={"displayModeBar": False},
        alt=f"Heatmap of CKA, {len(frame)} teacher layers by {frame.shape[1]} student layers. {_extremes(frame)}",
    )
    st.caption(
        f"{layer_map_words(frame)} {_extremes(frame)} Click a cell to choose the pair; the framed one is chosen."
    )
    with st.expander("Show the numbers"):
        st.caption("Rows are the teacher's layers, columns the student's. Select a cell to choose its pair.")
        st.dataframe(
            frame.style.format("{:.3f}"),
            key="layer_table",
            on_select=lambda: _selected(frame),
            selection_mode="single-cell",
            alt="CKA of each teacher layer with each student layer",
        )


def _clicked() -> None:
    points = st.session_state["layer_map"].selection.points
    if points:
        put({"guiding": str(points[0]["y"]), "guided": str(points[0]["x"])})


def _selected(frame: pd.DataFrame) -> None:
    cells = st.session_state["layer_table"].selection.cells
    if cells and cells[0][1] in frame.columns:
        put({"guiding": str(frame.index[cells[0][0]]), "guided": str(cells[0][1])})


def _themed(figure: go.Figure) -> go.Figure:
    if st.context.theme.type != "dark":
        return figure
    text: str = figure.to_json()
    for light, dark in swaps().items():
        text = text.replace(light, dark)
    return pio.from_json(text)


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
