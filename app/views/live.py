"""Is the geometry moving? One run as it trains: curves, Gram matrices, embedding, and its result once it is there."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.charts.curves import X
from app.components.attribution_player import ATTRIBUTION_EXPLAINED, attribution_player
from app.components.drawing_again import draw_again
from app.components.fork_panel import fork_popover, fork_words
from app.components.live_chart import Cursor, chart
from app.components.page_head import page_head
from app.components.players import embedding_methods, embedding_player, gram_player
from app.components.relaunch import relaunch_link
from app.components.results import accuracy_table, headline
from app.components.run_curves import cka_panel, losses_panel
from app.components.run_exports import run_exports
from app.components.run_marks import marks_line, marks_popover
from app.components.run_numbers import CKA_EXPLAINED, run_numbers
from app.components.run_picker import pick_run
from app.components.run_state import (
    progress_panel,
    refresh_seconds,
    run_badge,
    run_buttons,
    run_log,
    run_words,
    since,
    state_note,
)
from app.components.scrubber import scrubber
from app.words.layers import layer_map_words
from bird_backend.durations import exact
from bird_backend.experiments import KINDS, GallerySpec

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    head = st.container()
    run = pick_run(
        showing={"curves", "geometry", "accuracy", "layer-map"},
        nothing=(
            "No run yet",
            "Start the demo: a robust teacher of some clothes, a student of others.",
        ),
    )
    with head:
        _question(run)
    if run is None:
        return
    pace = refresh_seconds(run)
    st.fragment(_live, run_every=pace)(run.id, pace)
    with st.expander("What was asked for, as JSON", icon=":material/data_object:"):
        try:
            st.code(data.spec_of(run).model_dump_json(indent=2), language="json")
        except data.BirdError as error:
            st.error(str(error))


def _question(run: data.Run | None) -> None:
    """What a run of its kind answers, and how to read the answer."""
    shows = {"geometry"} if run is None else KINDS[run.kind].shows
    if run is not None and KINDS[run.kind].recorded:
        page_head(
            "live",
            "A training of your own, as it was recorded: what was logged at each step, and at each snapshot how alike "
            "the student and its teacher see the same images.",
            help=CKA_EXPLAINED,
        )
    elif "geometry" in shows:
        page_head(
            "live",
            "A transfer of geometry pulls the student's similarities towards the teacher's: its CKA climbs while plain "
            "fine-tuning's stays. Below, watch whether the student's Gram matrix takes on the teacher's pattern.",
            help=CKA_EXPLAINED,
        )
    elif "layer-map" in shows:
        page_head(
            "live",
            "Each layer of the teacher beside each layer of the student, on the same images and before any training. "
            "At 1 both see the images in one geometry, near 0 they have nothing in common.",
            question="Which layers are alike?",
            help=CKA_EXPLAINED,
        )
    elif "curves" in shows:
        page_head(
            "live",
            "One network as it trains: the loss at each step, and after each epoch its accuracy on validation images. "
            "Test images are used once, at the end.",
            question="Is it learning?",
        )
    else:
        page_head("live", "One run: how far it is, what it said, and what it found.", question="What came of it?")


def _live(run_id: str, pace: float | None) -> None:
    run = data.get_run(run_id)
    if run is None or refresh_seconds(run) != pace:
        # The run has ended, or was resumed: draw the whole page anew, at the new pace or still.
        draw_again()
    if data.is_active(run):
        _see_to_worker()
    try:
        _head(run)
        metrics = data.metrics(run)
        _body(run, metrics)
    except data.BirdError as error:
        st.error(str(error))
    run_exports(run)
    run_log(run)


def _head(run: data.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            run_badge(run)
            started = f"started {since(run.started)}" if run.started else f"asked for {since(run.created)}"
            took = f" · took {exact(run.finished - run.started)}" if run.finished and run.started else ""
            st.caption(f"{started}{took} · {run.device or 'device not chosen yet'} · `{run.id}`")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            marks_popover(run)
            relaunch_link(run)
            run_buttons(run)
    marks_line(run)
    if data.is_active(run):
        progress_panel(run)
    state_note(run)


def _body(run: data.Run, metrics: pd.DataFrame) -> None:
    shows = KINDS[run.kind].shows
    # What moves is seen without scrolling, even on a projector: it stands before all that stays as it is.
    moving = st.container() if data.is_active(run) else None
    steps = st.container(key="scrubber") if data.is_active(run) else None
    run_words(run)
    fork_words(run)
    if "layer-map" in shows:
        _analyzed(run)
    if "gallery" in shows:
        _drawn(run)
    if "scores" in shows:
        link("teachers", "Every score, as a table and charts", icon=":material/leaderboard:", run=run.id)
    if not shows & {"curves", "accuracy"}:
        _reported(run)
        return
    predictions = data.predictions(run)
    if predictions is not None:
        st.header("Did it help?" if charts.baseline_of(predictions) else "How good is it?", anchor=False)
        headline(predictions, key="result_metrics")
        accuracy_table(predictions, key="live_accuracy")
        link("robustness", "Every cell, as a map", icon=":material/shield:", run=run.id)
    if metrics.empty:
        _waiting(run)
        return
    run_numbers(run, metrics)
    x: X = st.segmented_control("Axis", ["step", "epoch"], default="step", required=True, key="x", bind="query-params")
    cursor = None
    if "geometry" in shows:
        with steps or st.container(key="scrubber"):
            if scrubber(run, metrics, key="at_step"):
                cursor = Cursor(clock=run.id, scale=charts.per_step(metrics, x))
        with moving or st.container():
            cka_panel(run, metrics, x, cursor)
            fork_popover(run)
        _geometry(run, metrics)
        st.header(
            "How does training go?", anchor=False, help="Accuracy on validation images, and the parts of the loss."
        )
    losses_panel(run, metrics, x, cursor)


def _waiting(run: data.Run) -> None:
    untrained = "curves" not in KINDS[run.kind].shows or data.arm_of(run) == "none"
    if untrained and not data.is_active(run):
        return
    with st.container(border=True, key="no_points"):
        if data.is_active(run):
            st.markdown("**Curves, Gram matrices and the embedding appear here** as soon as the first steps are done.")
        else:
            st.markdown("**This run ended before its first step**, so there is nothing to draw.")


def _geometry(run: data.Run, metrics: pd.DataFrame) -> None:
    st.header(
        "Which images look alike?",
        anchor=False,
        help="A Gram matrix holds, for every pair of probe images, how similar the network's features of them are. "
        "The images are sorted by class, so a square on the diagonal is a class seen as one thing.",
    )
    if not gram_player(run, metrics, key="grams"):
        st.caption("The Gram matrices appear with the first snapshot.")
    st.header(
        "Where do the images sit?",
        anchor=False,
        help="Each point is an image; points that lie together look alike to the network.",
    )
    _embedded(run)
    st.header("Which images agree with the teacher?", anchor=False, help=ATTRIBUTION_EXPLAINED)
    if not attribution_player(run, metrics, key="attribution"):
        st.caption(
            "Each image's share of the CKA appears with the first snapshot."
            if data.is_active(run)
            else "This run kept no image's share of its CKA: it is from before they were."
        )


def _embedded(run: data.Run) -> None:
    methods = embedding_methods(run)
    if methods and embedding_player(run, methods[0], key="cloud", pictures=False, aspect=0.62):
        link("embeddings", "Look closer, with the images", icon=":material/scatter_plot:", run=run.id)
    else:
        st.caption("The embedding appears with the first snapshot.")


def _analyzed(run: data.Run) -> None:
    frame = data.layer_table(run)
    if frame is None:
        if data.is_active(run):
            st.caption("Every layer of the teacher is compared with every layer of the student on validation images.")
        return
    chart(
        charts.layer_map(frame),
        of=run.id,
        key="layer_map",
        label="CKA of each teacher layer with each student layer",
        numbers=frame.reset_index(names="teacher layer"),
    )
    st.caption(layer_map_words(frame))


def _drawn(run: data.Run) -> None:
    spec = data.spec_of(run)
    if isinstance(spec, GallerySpec):
        where = {"picture": spec.picture} if spec.picture else {"data": str(spec.data)}
        link("gallery", "Look at the pictures", icon=":material/photo_library:", **where)


def _reported(run: data.Run) -> None:
    """What a run found that has no drawing of its own, as the command line says it."""
    if not run.summary:
        return
    report = KINDS[run.kind].report(run.summary)
    for line in report.lines:
        st.markdown(line)
    if report.rows:
        st.dataframe(pd.DataFrame(report.rows, columns=list(report.header)), hide_index=True, alt="What the run found")


def _see_to_worker() -> None:
    """A run that waits needs someone to take it up; ask at most every quarter of a minute."""
    if not data.worker_alive() and time.monotonic() - st.session_state.get("_worker_asked", -60.0) > 15:
        st.session_state["_worker_asked"] = time.monotonic()
        data.ensure_worker()
