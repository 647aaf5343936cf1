"""Is the geometry moving? One run as it trains: curves, Gram matrices, embedding, and its result once it is there."""

from __future__ import annotations

import time
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.charts.curves import X
from app.components.layer_choice import layer_map_words
from app.components.live_chart import chart, show_numbers
from app.components.page_head import page_head
from app.components.players import embedding_methods, embedding_player, gram_player
from app.components.relaunch import relaunch_link
from app.components.results import accuracy_table, headline
from app.components.run_picker import pick_run
from app.components.run_state import (
    duration,
    progress_panel,
    refresh_seconds,
    run_badge,
    run_buttons,
    run_words,
    since,
    state_note,
)
from app.words.intervals import explained, percent
from bird_backend.experiments import KINDS, GallerySpec
from bird_backend.measures import wilson

__all__ = ["render"]

_CKA = (
    "Centred kernel alignment: how alike two networks see the same images, from 0 (not at all) to 1 (the same up to "
    "rotation and scale)."
)


def render() -> None:
    """Draw the page."""
    page_head(
        "live",
        "A transfer of geometry pulls the student's similarities towards the teacher's: its CKA climbs while plain "
        "fine-tuning's stays. Below, watch whether the student's Gram matrix takes on the teacher's pattern.",
        help=_CKA,
    )
    run = pick_run(
        showing={"curves", "geometry", "accuracy", "layer-map"},
        nothing=(
            "No run yet",
            "Start the demo: a teacher that reads digits makes a student that knows clothes robust.",
        ),
    )
    if run is None:
        return
    pace = refresh_seconds(run)
    st.fragment(_live, run_every=pace)(run.id, pace)
    with st.expander("What was asked for, as JSON", icon=":material/data_object:"):
        try:
            st.code(data.spec_of(run).model_dump_json(indent=2), language="json")
        except data.BirdError as error:
            st.error(str(error))


def _live(run_id: str, pace: float | None) -> None:
    run = data.get_run(run_id)
    if run is None or refresh_seconds(run) != pace:
        # The run has ended, or was resumed: draw the whole page anew, at the new pace or still.
        st.rerun()
    if data.is_active(run):
        _see_to_worker()
    try:
        _head(run)
        metrics = data.metrics(run)
        _body(run, metrics)
    except data.BirdError as error:
        st.error(str(error))
    _log(run)


def _head(run: data.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            run_badge(run)
            started = f"started {since(run.started)}" if run.started else f"asked for {since(run.created)}"
            took = f" · took {duration(run.finished - run.started)}" if run.finished and run.started else ""
            st.caption(f"{started}{took} · {run.device or 'device not chosen yet'} · `{run.id}`")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            relaunch_link(run)
            run_buttons(run)
    if data.is_active(run):
        progress_panel(run)
    state_note(run)
    run_words(run)


def _body(run: data.Run, metrics: pd.DataFrame) -> None:
    shows = KINDS[run.kind].shows
    if "layer-map" in shows:
        _analyzed(run)
    if "gallery" in shows:
        _drawn(run)
    if not shows & {"curves", "accuracy"}:
        _reported(run)
        return
    predictions = data.predictions(run)
    if predictions is not None:
        st.subheader("Did it help?" if "geometry" in shows else "How good is it?", anchor=False)
        headline(predictions, key="result_metrics")
        accuracy_table(predictions, key="live_accuracy")
        link("robustness", "Every cell, as a map", icon=":material/shield:", run=run.id)
    if metrics.empty:
        _waiting(run)
        return
    _now(run, metrics)
    x: X = st.segmented_control("Axis", ["step", "epoch"], default="step", required=True, key="x", bind="query-params")
    if "geometry" in shows:
        _cka(run, metrics, x)
        _geometry(run, metrics)
        st.subheader(
            "How does training go?", anchor=False, help="Accuracy on validation images, and the parts of the loss."
        )
    _losses(run, metrics, x)


def _waiting(run: data.Run) -> None:
    untrained = "curves" not in KINDS[run.kind].shows or data.arm_of(run) == "none"
    if untrained and not data.is_active(run):
        return
    with st.container(border=True, key="no_points"):
        if data.is_active(run):
            st.markdown("**Curves, Gram matrices and the embedding appear here** as soon as the first steps are done.")
        else:
            st.markdown("**This run ended before its first step**, so there is nothing to draw.")


def _now(run: data.Run, metrics: pd.DataFrame) -> None:
    """Where it stands, in a few numbers."""
    found: list[dict[str, Any]] = []
    own = data.arm_of(run)
    for name in dict.fromkeys((own, "fine-tuning")):
        shots = _of(metrics, "snapshot", name, "cka")
        if len(shots):
            first, last = shots.iloc[0], shots.iloc[-1]
            found.append(
                {
                    "label": f"CKA, {charts.arm(name).label}",
                    "value": f"{last['cka']:.3f}",
                    "delta": f"{last['cka'] - first['cka']:+.3f} since step {int(first['step'])}".replace("-", "−"),
                    "delta_color": "blue" if name == own else "off",
                    "delta_arrow": "off",
                    "help": f"{_CKA} Debiased, n={int(last['n'])} probe images; with one side shuffled it would be "
                    f"{last['null']:.3f}.",
                }
            )
    epochs = _of(metrics, "epoch", None, "validation_accuracy")
    if len(epochs):
        last = epochs.iloc[-1]
        count = int(last["n"])
        accuracy = float(last["validation_accuracy"])
        found.append(
            {
                "label": "Validation accuracy",
                "value": percent(accuracy),
                "delta": f"{charts.arm(str(last['arm'])).label}, epoch {int(last['epoch'])}",
                "delta_color": "off",
                "delta_arrow": "off",
                "help": f"Clean validation images. {explained(wilson(accuracy * count, count))}.",
            }
        )
    steps = _of(metrics, "step", None, "images_per_s")
    if len(steps):
        found.append(
            {
                "label": "Images per second",
                "value": f"{steps['images_per_s'].tail(20).median():,.0f}",
                "delta": "last twenty steps",
                "delta_color": "off",
                "delta_arrow": "off",
                "help": "Median of the last twenty steps, the teacher's pass included.",
            }
        )
    if found:
        for column, metric in zip(st.columns(4, gap="small"), found, strict=False):
            column.metric(border=True, **metric)
    if data.is_active(run) and data.has_baseline(run) and not len(_of(metrics, "step", "fine-tuning", "task_loss")):
        st.caption(
            f"{charts.arm(own).label} trains first; the baseline, plain fine-tuning with the same seed and batches, "
            "follows."
        )


def _cka(run: data.Run, metrics: pd.DataFrame, x: X) -> None:
    chart(
        charts.cka_curves(metrics, x),
        of=run.id,
        key="cka_chart",
        label="CKA with the teacher against training, a line for each arm: "
        + " and ".join(charts.arm(name).label for name in charts.arms_in(metrics)),
        revision=x,
        numbers=charts.cka_table(metrics),
    )
    st.caption(
        "Lines with points: debiased CKA of fixed validation images; n and the null are on hover."
        + (
            " Faint line: the CKA of each augmented training batch, which BIRD climbs. Read its slope, not its height."
            if "bird" in charts.arms_in(metrics)
            else ""
        )
    )


def _losses(run: data.Run, metrics: pd.DataFrame, x: X) -> None:
    task = charts.loss_curves(metrics, "task_loss", x)
    part = charts.part_of(metrics) or "representation_loss"
    second = charts.loss_curves(metrics, part, x)
    drawn = (
        (
            charts.accuracy_curves(metrics, "validation_accuracy", x),
            "validation_chart",
            "Accuracy on clean validation images",
        ),
        (
            charts.accuracy_curves(metrics, "robust_accuracy", x),
            "robust_chart",
            "Robust accuracy on validation images",
        ),
        (task, "task_chart", "Task loss at each step"),
        (second, "representation_chart", f"{charts.part_title(metrics, part)}, at each step"),
    )
    columns = st.columns(2, gap="medium")
    for index, (figure, key, label) in enumerate(drawn):
        if figure is second and not figure.data:
            continue
        with columns[index % 2]:
            chart(figure, of=run.id, key=key, label=label, revision=x)
    show_numbers(
        charts.epochs_table(metrics), key="epochs_numbers", label="accuracies by epoch", title="Show the accuracies"
    )
    show_numbers(charts.numbers(task, second), key="losses_numbers", label="losses by step", title="Show the losses")


def _geometry(run: data.Run, metrics: pd.DataFrame) -> None:
    st.subheader(
        "Which images look alike?",
        anchor=False,
        help="A Gram matrix holds, for every pair of probe images, how similar the network's features of them are. "
        "The images are sorted by class, so a square on the diagonal is a class seen as one thing.",
    )
    if not gram_player(run, metrics, key="grams"):
        st.caption("The Gram matrices appear with the first snapshot.")
    st.subheader(
        "Where do the images sit?",
        anchor=False,
        help="Each point is an image; points that lie together look alike to the network.",
    )
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


def _log(run: data.Run) -> None:
    with st.expander("Log", icon=":material/notes:", expanded=run.state == "failed"):
        st.code(data.log_tail(run, 60) or "Nothing said yet.", language=None, height=260)


def _of(
    metrics: pd.DataFrame, kind: Literal["step", "epoch", "snapshot"], name: str | None, column: str
) -> pd.DataFrame:
    if "type" not in metrics or column not in metrics:
        return pd.DataFrame()
    rows = metrics[(metrics["type"] == kind) & metrics[column].notna()]
    return rows if name is None else rows[rows["arm"] == name].sort_values("step")


def _see_to_worker() -> None:
    """A run that waits needs someone to take it up; ask at most every quarter of a minute."""
    if not data.worker_alive() and time.monotonic() - st.session_state.get("_worker_asked", -60.0) > 15:
        st.session_state["_worker_asked"] = time.monotonic()
        data.ensure_worker()
