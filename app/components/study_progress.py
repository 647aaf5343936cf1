"""How far a study is, in a bar and a few words, and the button that stops it or goes on with it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.backend import data
from app.backend.studies import Study, extend_study, progress_of, resume_study, stop_study
from bird_backend.durations import exact

__all__ = ["study_bar", "study_buttons", "study_states"]

_WORDS = {
    "running": "running",
    "queued": "queued",
    "interrupted": "interrupted",
    "failed": "failed",
    "cancelled": "stopped",
    "waiting": "to come",
}

_MORE_SECONDS = 3600.0


def study_states(study: Study, runs: Mapping[str, data.Run]) -> list[str]:
    """The state of each member; `waiting` of one that has no run, or whose run is gone."""
    return [runs[member.run].state if member.run and member.run in runs else "waiting" for member in study.members]


def study_bar(study: Study, runs: Mapping[str, data.Run]) -> None:
    """How many runs are done, how the others are, and how long is left; a line once all are done."""
    states = study_states(study, runs)
    total, done = len(states), states.count("done")
    if done == total:
        st.caption(f"All {total} runs are done; {len(study.seeds)} seed{'s' if len(study.seeds) > 1 else ''} each.")
        return
    under_way = [run for run in runs.values() if run.state == "running"]
    parts = sum(float((data.progress(run) or {}).get("fraction") or 0.0) for run in under_way)
    counts = {word: states.count(state) for state, word in _WORDS.items()}
    rest = "".join(f", {count} {word}" for word, count in counts.items() if count)
    st.progress(min(1.0, (done + parts) / total), text=f"{done} of {total} runs done{rest}{_left(study, runs)}")


def study_buttons(study: Study, runs: Mapping[str, data.Run]) -> None:
    """Stop what is left, or go on with what was stopped, has failed or was never begun; nothing once all are done."""
    states = study_states(study, runs)
    if any(state in ("queued", "running", "interrupted") for state in states):
        st.button(
            "Stop what is left",
            key=f"stop_{study.id}",
            icon=":material/stop:",
            on_click=_act,
            args=("stop", study.id),
        )
    elif study.budget_seconds is not None and progress_of(study, runs).spent_seconds >= study.budget_seconds:
        _more_time(study, states)
    elif any(state != "done" for state in states):
        st.button(
            "Resume",
            key=f"resume_{study.id}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_act,
            args=("resume", study.id),
            help="Goes on with every run that was stopped, has failed or was never begun, from its last checkpoint.",
        )
    if said := st.session_state.pop(f"_failed_{study.id}", None):
        st.error(said)


def _more_time(study: Study, states: list[str]) -> None:
    """The button that gives a study more time, where there is something to go on with."""
    if any(state in ("cancelled", "waiting") for state in states):
        st.button(
            "An hour more",
            key=f"extend_{study.id}",
            type="primary",
            icon=":material/more_time:",
            on_click=_act,
            args=("extend", study.id),
            help="Goes on with what was not begun when the study's time was up.",
        )


def _act(action: str, study_id: str) -> None:
    try:
        match action:
            case "stop":
                stop_study(study_id)
            case "extend":
                extend_study(study_id, _MORE_SECONDS)
            case _:
                resume_study(study_id)
    except data.BirdError as error:
        st.session_state[f"_failed_{study_id}"] = str(error)


def _left(study: Study, runs: Mapping[str, data.Run]) -> str:
    progress = progress_of(study, runs)
    return f"; about {exact(progress.left_seconds)} left" if progress.left_seconds and progress.open else ""
