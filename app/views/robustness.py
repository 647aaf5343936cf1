"""Did it help? Every figure of the student before, fine-tuned and transferred, and every cell they come from."""

from __future__ import annotations

import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.components.ceiling import ask_for_ceiling, chosen_ceiling, pick_ceiling, recovered
from app.components.figures_table import figures_table
from app.components.live_chart import chart, show_numbers
from app.components.page_head import page_head
from app.components.results import verdict_sentence
from app.components.run_picker import empty_state, pick_run
from app.components.run_state import progress_panel, run_badge, run_words, state_note
from app.components.seed_lines import seed_lines
from app.components.severity_grid import grid_component
from app.findings.ceilings import oracles, with_ceiling
from app.findings.seeds import siblings
from bird_backend.experiments import KINDS

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    page_head(
        "robustness",
        "The test images are spoiled in known ways, at five severities. What counts is a method against plain "
        "fine-tuning with the same budget, above all on the held-out kinds no model was trained on.",
        help="Robust accuracy: the mean accuracy over corruptions and severities. Severity 1 is mild, 5 is severe.",
    )
    run = pick_run(
        showing={"accuracy"},
        nothing=("No results yet", "A finished run is measured on corrupted test images. The demo takes a minute."),
    )
    if run is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        run_badge(run)
        link("live", "Its curves", icon=":material/timeline:", run=run.id)
        link("gallery", "What the corruptions look like", icon=":material/photo_library:")
    try:
        run_words(run)
        predictions = data.predictions(run)
        if predictions is None:
            st.fragment(_wait, run_every=2.0 if data.is_active(run) else None)(run.id)
        else:
            _results(run, predictions)
    except data.BirdError as error:
        st.error(str(error))


def _wait(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None or (data.is_active(run) and data.predictions(run) is not None):
        st.rerun()
    if data.is_active(run):
        progress_panel(run)
        with st.container(border=True):
            st.markdown("**The table appears here** at the end: test images are touched once, after training.")
        return
    state_note(run)
    if run.state == "done":
        empty_state(
            "This run kept no predictions",
            "It measured something else, or was made by an earlier version of this app; launch it again to see more.",
        )
    else:
        st.markdown("It ended before it was measured, so there is no table. Its curves are on its page.")


def _results(run: data.Run, predictions: data.Predictions) -> None:
    known = siblings(run)
    over = charts.baseline_of(predictions)
    if (said := verdict_sentence(predictions)) is not None:
        st.markdown(said)
    if run.state == "done":
        seed_lines(run, known, charts.gain(predictions))
    offered = oracles(run)
    oracle = chosen_ceiling(offered)
    measured = None if oracle is None else data.predictions(oracle)
    with_oracle = None if measured is None else with_ceiling(predictions, measured)
    figures_table(run, with_oracle or predictions, known.done)
    _charts(run, predictions)
    if "geometry" in KINDS[run.kind].shows:
        st.header("How far towards the ceiling?", anchor=False, help="PGR, the performance gap recovered.")
        if oracle is None or with_oracle is None:
            ask_for_ceiling(run)
        else:
            pick_ceiling(offered, oracle)
            recovered(with_oracle)
    st.header("Where does it help?" if over else "Where is it robust?", anchor=False)
    st.fragment(grid_component)(run, predictions)
    cells = charts.cells(predictions)
    show_numbers(cells, key="cells_numbers", label="every cell with its 95 % interval")
    st.download_button(
        "Download every cell as CSV",
        cells.to_csv(index=False).encode(),
        file_name=f"{run.id}-accuracy.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _charts(run: data.Run, predictions: data.Predictions) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            charts.accuracy_bars(predictions),
            key="accuracy_bars",
            label="Clean, seen and held-out accuracy of each model with 95 % intervals",
            revision=run.id,
            numbers=charts.mean_rows(predictions).drop(columns=["group"]),
        )
    with right:
        rows = charts.reliability_rows(predictions)
        chart(
            charts.reliability(predictions, rows),
            key="reliability",
            label="How often each model is right at each level of confidence, on corrupted images",
            revision=run.id,
            numbers=rows,
        )
