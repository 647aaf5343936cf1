"""A run's state in words and colour, and what can be done about it."""

from __future__ import annotations

import time
from typing import Literal

import streamlit as st

from app.backend import data
from app.components.html_table import scroll_box
from app.words.sentences import control_sentence, start_sentence
from bird_backend.durations import exact
from bird_backend.experiments import KINDS, TransferSpec
from bird_backend.transfer import METHODS

__all__ = [
    "progress_panel",
    "refresh_seconds",
    "result_word",
    "run_badge",
    "run_buttons",
    "run_log",
    "run_words",
    "since",
    "state_note",
]

Colour = Literal["red", "orange", "blue", "green", "gray"]

_LOOKS: dict[str, tuple[str, Colour, str, str]] = {
    "queued": ("Queued", "gray", ":material/schedule:", "Waits for the worker; nothing runs yet."),
    "running": ("Running", "blue", ":material/play_circle:", "Trains in its own process; you may close this page."),
    "done": ("Done", "green", ":material/check_circle:", "Finished; its results are final."),
    "failed": ("Failed", "red", ":material/error:", "Stopped by an error; what it had measured is kept."),
    "cancelled": ("Stopped", "orange", ":material/stop_circle:", "Someone stopped it; it can be resumed."),
    "interrupted": ("Interrupted", "orange", ":material/pause_circle:", "Its process ended; the worker resumes it."),
}


def run_badge(run: data.Run) -> None:
    """The state as a badge that explains itself on hover."""
    label, colour, icon, help_text = _LOOKS[run.state]
    st.badge(label, color=colour, icon=icon, help=help_text)


def result_word(state: str) -> str:
    """The state in one word, as the badge says it."""
    return _LOOKS[state][0]


def refresh_seconds(run: data.Run) -> float | None:
    """How often a page of the run should look again, none once nothing more will come.

    Every look redraws curves in a browser that may share the run's cores, so not more often than the eye needs.
    """
    if data.is_active(run):
        return 1.0 if run.state == "queued" else 2.5
    return 4.0 if data.embeddings_pending(run) else None


def since(moment: float) -> str:
    """`just now`, `5 minutes ago`, `3 days ago`."""
    seconds = max(0.0, time.time() - moment)
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"


def progress_panel(run: data.Run) -> None:
    """Phase, bar and time left of a run that is queued or running."""
    said = data.progress(run)
    if run.state == "queued":
        counts = {"running": data.count_runs(states=("running",)), "waiting": data.waiting_before(run)}
        ahead = " and ".join(f"{count} {word}" for word, count in counts.items() if count)
        st.progress(0.0, text="Waiting for the worker" + (f", {ahead} before it" if ahead else ""))
        if not data.worker_alive():
            st.caption("No worker is alive at the moment; one is being started.")
        return
    if said is None:
        st.progress(0.0, text="Starting: loading PyTorch and the images")
        return
    eta = said.get("eta_seconds")
    left = f", about {exact(eta)} left" if eta is not None else ""
    fraction = min(max(float(said["fraction"]), 0.0), 1.0)
    st.progress(fraction, text=f"{said['phase']}: {fraction:.0%}{left}")
    quiet = time.time() - float(said.get("updated", time.time()))
    if run.cancel_requested is not None:
        st.caption("Stopping: it saves a checkpoint first, so that it can be resumed.")
    elif quiet > 30:
        st.caption(f"Nothing heard for {exact(quiet)}. A long step or a busy machine; its log may say more.")


def run_words(run: data.Run) -> None:
    """A transfer's method, whose weights it begins with, and its control, which a reader must not miss."""
    spec = data.spec_of(run)
    if not isinstance(spec, TransferSpec):
        return
    facts = METHODS[spec.method.name]
    st.caption(f"**{facts.title}**. {facts.caption} {start_sentence(spec)}")
    if (said := control_sentence(spec)) is not None:
        st.info(said, icon=":material/science:")


def run_buttons(run: data.Run) -> None:
    """Stop or resume, whichever the state allows; neither for a training of one's own, which only writes here."""
    if KINDS[run.kind].recorded:
        return
    if data.is_active(run):
        stopping = run.cancel_requested is not None
        st.button(
            "Stopping…" if stopping else "Stop",
            key="stop_run",
            icon=":material/stop:",
            disabled=stopping,
            on_click=_act,
            args=("cancel", run.id),
            help="It saves a checkpoint first, so that it can be resumed.",
        )
    elif run.state in ("failed", "cancelled"):
        st.button(
            "Resume",
            key="resume_run",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_act,
            args=("resume", run.id),
            help="Goes on from the last checkpoint.",
        )
    if said := st.session_state.pop("_run_action_failed", None):
        st.error(said)


def run_log(run: data.Run) -> None:
    """The last lines of what it said, open where they say why it failed."""
    with st.expander("Log", icon=":material/notes:", expanded=run.state == "failed"):
        scroll_box(data.log_tail(run, 60) or "Nothing said yet.", label="The run's log, its last lines")


def state_note(run: data.Run) -> None:
    """What happened and what to do, for a run that did not end well or has not begun."""
    reason = run.reason or "It left no reason; its log may say more."
    if KINDS[run.kind].recorded:
        if run.state in ("failed", "cancelled"):
            st.error(f"**This training did not end well.** {reason}\n\nWhat it had written is kept.")
        return
    match run.state:
        case "failed":
            st.error(
                f"**This run failed.** {reason}\n\nWhat it had measured is kept. Put the cause right, then press "
                "Resume to go on from its last checkpoint, or change something and launch again.",
                icon=":material/error:",
            )
        case "cancelled":
            st.warning(
                "**This run was stopped.** What it had measured is kept; Resume goes on from its last checkpoint.",
                icon=":material/stop_circle:",
            )
        case "interrupted":
            st.warning(
                "**This run was interrupted**, by a restart or a lost process. The worker takes it up again from its "
                "last checkpoint by itself.",
                icon=":material/pause_circle:",
            )


def _act(action: Literal["cancel", "resume"], run_id: str) -> None:
    try:
        data.cancel(run_id) if action == "cancel" else data.resume(run_id)
    except data.BirdError as error:
        st.session_state["_run_action_failed"] = str(error)
