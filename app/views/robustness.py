"""Did it help? Accuracy under every corruption and severity: the student before, fine-tuned, and after BIRD."""

from __future__ import annotations

import streamlit as st

from app import charts, data
from app.components.live_chart import chart, show_numbers
from app.components.page_head import page_head
from app.components.results import accuracy_table, headline
from app.components.run_picker import empty_state, pick_run
from app.components.run_state import progress_panel, run_badge, state_note
from app.components.severity_grid import grid_component
from app.routes import link

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    page_head(
        "robustness",
        "The test images are spoiled in known ways, at five severities. What counts is BIRD against plain fine-tuning "
        "with the same budget, above all on the held-out kinds no model was trained on.",
        help="Robust accuracy: the mean accuracy over corruptions and severities. Severity 1 is mild, 5 is severe.",
    )
    run = pick_run(
        kinds=("transfer", "robustify", "pretrain", "evaluate"),
        nothing=("No results yet", "A finished run is measured on corrupted test images. The demo takes a minute."),
    )
    if run is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        run_badge(run)
        link("live", "Its curves", icon=":material/timeline:", run=run.id)
    try:
        predictions = data.predictions(run)
    except data.BirdError as error:
        st.error(str(error))
        return
    if predictions is None:
        st.fragment(_wait, run_every=2.0 if data.is_active(run) else None)(run.id)
        return
    _results(run, predictions)


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
        empty_state("This run has no accuracy table", "It measured something else; see its page.")
    else:
        st.markdown("It ended before it was measured, so there is no table. Its curves are on its page.")


def _results(run: data.Run, predictions: data.Predictions) -> None:
    headline(predictions, key="robust_metrics")
    chart(
        charts.accuracy_bars(predictions),
        key="accuracy_bars",
        label="Clean, seen and held-out accuracy of each model with 95 % intervals",
        revision=run.id,
        numbers=charts.mean_rows(predictions).drop(columns=["group"]),
    )
    st.subheader("Where does it help?", anchor=False)
    st.fragment(grid_component)(run, predictions)
    cells = charts.cells(predictions)
    show_numbers(cells, key="cells_numbers", label="every cell with its 95 % interval")
    st.subheader("As a table", anchor=False)
    accuracy_table(predictions, key="robust_table")
    st.download_button(
        "Download every cell as CSV",
        cells.to_csv(index=False).encode(),
        file_name=f"{run.id}-accuracy.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
