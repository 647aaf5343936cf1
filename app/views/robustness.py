"""Did it help, or how robust is it? Every figure of a run's networks, and every cell they come from."""

from __future__ import annotations

import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.components.ceiling import ask_for_oracle, recovered, wait_for_oracle
from app.components.drawing_again import draw_again
from app.components.figures_table import figures_table
from app.components.live_chart import chart, show_numbers
from app.components.page_head import page_head
from app.components.results import verdict_sentence
from app.components.run_picker import empty_state, pick_run
from app.components.run_state import progress_panel, run_badge, run_buttons, run_log, run_words, state_note
from app.components.seed_lines import seed_lines
from app.components.severity_grid import grid_component
from app.findings.ceilings import Held, held_against
from app.findings.seeds import siblings
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.experiments import TransferSpec

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    head = st.container()
    run = pick_run(
        showing={"accuracy"},
        nothing=("No results yet", "A finished run is measured on changed test images. The demo takes a minute."),
    )
    with head:
        _question(run)
    if run is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        run_badge(run)
        link("live", "Its curves", icon=":material/timeline:", run=run.id)
    try:
        run_words(run)
        predictions = data.predictions(run)
        if predictions is None:
            active = data.is_active(run)
            st.fragment(_wait, run_every=2.0 if active else None)(run.id, active)
        else:
            _behaviour(run, predictions)
            _results(run, predictions)
    except data.BirdError as error:
        st.error(str(error))


def _question(run: data.Run | None) -> None:
    """Whether it helped is a question only of a run that has something to beat."""
    help = "Robust accuracy: the mean accuracy over conditions and strengths. Strength 1 is mild, 5 is severe."
    if run is None or _has_rival(run):
        said = (
            "The test images are changed in known ways, at five strengths. A method has to beat plain fine-tuning with "
            "the same budget, most of all under held-out changes, which no network here was trained on."
        )
        page_head("robustness", said, help=help)
        return
    said = (
        "How much of its clean accuracy a network keeps on changed test images. Nothing was measured beside it, so "
        "whether a method helped isn't to be seen here."
    )
    page_head("robustness", said, question="How robust is it?", help=help)


def _has_rival(run: data.Run) -> bool:
    """Whether the run measured, or is about to measure, something that its last network has to beat."""
    try:
        measured = data.predictions(run)
        if measured is None:
            return isinstance(data.spec_of(run), TransferSpec) and data.arm_of(run) != "none"
    except data.BirdError:  # said where the results would be
        return True
    return charts.baseline_of(measured) is not None


def _behaviour(run: data.Run, predictions: data.Predictions) -> None:
    """What was done to the images of this run."""
    behaviour = BEHAVIOURS.find(predictions.behaviour)
    words = behaviour.words
    with st.container(horizontal=True, vertical_alignment="center"):
        said = (words.how, (run.summary or {}).get("strengths", ""), words.note)
        st.caption(" ".join(filter(None, said)), width="content")
        if not behaviour.attacks:
            link("gallery", words.question, icon=":material/photo_library:", behaviour=behaviour.name)


def _wait(run_id: str, active: bool) -> None:
    run = data.get_run(run_id)
    if run is None or data.is_active(run) != active or (active and data.predictions(run) is not None):
        draw_again()
    if data.is_active(run):
        progress_panel(run)
        with st.container(border=True):
            st.markdown("**The table appears here** at the end: test images are touched once, after training.")
        return
    state_note(run)
    run_buttons(run)
    if run.state == "done":
        empty_state(
            "This run kept no predictions",
            "It measured something else, or was made by an earlier version of this app; launch it again to see more.",
        )
    else:
        st.markdown("It ended before it was measured, so there is no table. Its curves are on its page.")
    run_log(run)


def _results(run: data.Run, measured: data.Predictions) -> None:
    known, held = siblings(run), held_against(run, measured)
    predictions = held.predictions
    over = charts.baseline_of(predictions)
    if (said := verdict_sentence(predictions)) is not None:
        st.markdown(said)
    if run.state == "done":
        seed_lines(run, known, charts.gain(predictions))
    if held.fine_tuning is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Fine-tuning is of another run, of the same seed, images and budget:", width="content")
            link("live", held.fine_tuning.title, icon=":material/timeline:", run=held.fine_tuning.id)
    figures_table(run, held.with_ceiling or predictions, known.done)
    _charts(run, predictions)
    if isinstance(data.spec_of(run), TransferSpec) and data.arm_of(run) != "oracle":
        st.header("How far towards the ceiling?", anchor=False, help="PGR, the performance gap recovered.")
        _ceiling(run, held)
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


def _ceiling(run: data.Run, held: Held) -> None:
    oracle = held.oracle
    if oracle is None:
        ask_for_oracle(run)
    elif held.with_ceiling is not None:
        recovered(held.with_ceiling)
        link("live", f"The Oracle: {oracle.title}", icon=":material/timeline:", run=oracle.id)
    elif data.is_active(oracle):
        st.fragment(wait_for_oracle, run_every=2.0)(oracle.id)
    else:
        st.markdown("The Oracle was trained, but what it said of the test images can't be read or is of other images.")
        link("live", f"The Oracle: {oracle.title}", icon=":material/timeline:", run=oracle.id)


def _charts(run: data.Run, predictions: data.Predictions) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            charts.accuracy_bars(predictions),
            of=run.id,
            key="accuracy_bars",
            label="Clean, seen and held-out accuracy of each model with 95 % intervals",
            numbers=charts.mean_rows(predictions).drop(columns=["group"]),
        )
    with right:
        rows = charts.reliability_rows(predictions)
        chart(
            charts.reliability(predictions, rows),
            of=run.id,
            key="reliability",
            label="How often each model is right at each level of confidence, on changed images",
            numbers=rows,
        )
