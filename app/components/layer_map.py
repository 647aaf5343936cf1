"""The CKA of every pair of layers: measured where it costs little, asked for by a button, waited for, or failed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.address.url_state import put
from app.backend import data
from app.backend.machine import machine
from app.charts.layer_cells import cka_cells
from app.components.drawing_again import draw_again
from app.components.layer_matrix import layer_matrix
from app.form.estimates import analyze_seconds
from app.words.intervals import rounded
from app.words.layers import layer_map_words
from bird_backend import catalog
from bird_backend.catalog import ModelFacts
from bird_backend.durations import rough
from bird_backend.experiments import AnalyzeSpec

__all__ = ["layer_map_section", "measured_map"]

_ATLAS = ("data", "path", "classes", "size", "teacher", "student", "guiding", "guided")
"""What the form's address and the atlas's have in common."""
_WORTH_ASKING_SECONDS = 12.0
"""A map that takes less is measured without being asked for, while nothing else runs."""


def measured_map(
    asked: AnalyzeSpec,
    facts: tuple[ModelFacts, ModelFacts],
    *,
    key: str = "measure",
    lacking: str = "Not measured yet: how alike the two networks' layers are before any training.",
    primary: bool = False,
    wait: str = "",
) -> tuple[data.Run, pd.DataFrame] | None:
    """The run and its table once it is done; until then none, and what there is to wait for or to press is drawn.

    `facts` are the teacher's and the student's; `lacking` says what is missing, `wait` what else can be done meanwhile.
    """
    run = data.find_layer_map(asked)
    seconds = analyze_seconds(facts, machine())
    facts_of_data = catalog.known_dataset(asked.data)
    local = facts_of_data is not None and not facts_of_data.network
    if run is None and local and seconds < _WORTH_ASKING_SECONDS and not data.active_runs():
        run, _ = data.layer_map(asked)
    if run is None:
        _ask(asked, f"Measure every pair ({rough(seconds)})", key=key, lacking=lacking, primary=primary)
    elif run.state in ("failed", "cancelled"):
        st.warning(f"The layers were not measured. {run.reason or 'The run was stopped.'}", icon=":material/error:")
        _ask(asked, "Measure again", retry=True, key=key, lacking=lacking, primary=primary)
    elif run.state == "done":
        _, frame = data.layer_map(asked)
        return None if frame is None else (run, frame)
    else:
        st.fragment(_measuring, run_every=1)(run.id, wait)
    return None


def layer_map_section(asked: AnalyzeSpec, facts: tuple[ModelFacts, ModelFacts]) -> None:
    """Every pair's CKA before any training, to choose the form's pair from, or the way to it."""
    found = measured_map(
        asked, facts, wait="You need not wait for it: the map helps to choose, the lists above work without."
    )
    if found is not None:
        _show(found[0].id, found[1], facts)


def _ask(asked: AnalyzeSpec, label: str, *, key: str, lacking: str, primary: bool, retry: bool = False) -> None:
    st.caption(lacking)
    if st.button(label, icon=":material/grid_on:", key=key, type="primary" if primary else "secondary"):
        data.layer_map(asked, retry=retry)
        draw_again()


def _measuring(run_id: str, wait: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        draw_again()
    progress = data.progress(run) or {}
    waiting = run.state == "queued"
    words = "Waiting for the device" if waiting else progress.get("phase") or "Starting"
    st.progress(float(progress.get("fraction") or 0.0), text=f"Measuring CKA of every pair of layers · {words}")
    if wait:
        st.caption(wait)


def _show(run_id: str, frame: pd.DataFrame, facts: tuple[ModelFacts, ModelFacts]) -> None:
    layer_matrix(
        cka_cells(frame),
        facts,
        (st.session_state["guiding"], st.session_state["guided"]),
        of=run_id,
        key="layer_map",
        pick=lambda guiding, guided: put({"guiding": guiding, "guided": guided}),
    )
    st.caption(
        f"{layer_map_words(frame)} {_extremes(frame)} Press a cell to choose the pair; the framed one is chosen. "
        f"{_left_out(facts)}"
    )
    shown = {name: st.query_params[name] for name in _ATLAS if name in st.query_params}
    link("atlas", "Look into these pairs in the atlas", icon=":material/grid_on:", **shown)
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


def _extremes(frame: pd.DataFrame) -> str:
    values = frame.to_numpy(dtype=float)
    row, column = divmod(int(values.argmax()), values.shape[1])
    return f"The most alike are {frame.index[row]} and {frame.columns[column]}, at {values.max():.2f}."
