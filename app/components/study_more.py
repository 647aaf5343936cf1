"""More of a study: try again what failed, more seeds of every variant, more time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from statistics import fmean

import streamlit as st

from app.backend import data
from app.backend.studies import Study, add_seeds, extend_study, more_runs, retry_study
from bird_backend.durations import exact, rough

__all__ = ["study_more"]


def study_more(study: Study, runs: Mapping[str, data.Run]) -> None:
    """Draw it; `runs` are the study's. What is pressed is done before the page is drawn anew."""
    failed = sum(run.state == "failed" for run in runs.values())
    if failed:
        st.button(
            f"Try the {failed} that failed again" if failed > 1 else "Try the one that failed again",
            key=f"retry_{study.id}",
            icon=":material/replay:",
            on_click=_do,
            args=(study.id, partial(retry_study, study.id)),
        )
    left, right = st.columns(2, gap="large") if study.budget_seconds is not None else (st.container(), None)
    with left:
        _seeds(study, runs)
    if right is not None:
        with right:
            _time(study)
    if said := st.session_state.pop(f"_more_failed_{study.id}", None):
        st.error(said, icon=":material/error:")


def _seeds(study: Study, runs: Mapping[str, data.Run]) -> None:
    count = int(st.number_input("More seeds", min_value=1, max_value=100, value=1, key=f"more_seeds_{study.id}"))
    try:
        added = more_runs(study, count)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
        added = 0
    else:
        took = [float(run.summary["seconds"]) for run in runs.values() if run.summary and run.summary.get("seconds")]
        time = f", **about {rough(added * fmean(took))}**" if took else ""
        st.markdown(f"**{added:,} more runs**{time}: every variant with the seeds that follow its own.")
    st.button(
        "Add seeds",
        key=f"add_seeds_{study.id}",
        icon=":material/add:",
        disabled=not added,
        on_click=_do,
        args=(study.id, partial(add_seeds, study.id, count)),
    )


def _time(study: Study) -> None:
    minutes = int(
        st.number_input("More minutes", min_value=1, max_value=100_000, value=60, key=f"more_minutes_{study.id}")
    )
    st.markdown(f"Of {exact(study.budget_seconds or 0.0)} so far; what was stopped is gone on with.")
    st.button(
        "Give it more time",
        key=f"more_time_{study.id}",
        icon=":material/more_time:",
        on_click=_do,
        args=(study.id, partial(extend_study, study.id, 60.0 * minutes)),
    )


def _do(study_id: str, act: Callable[[], None]) -> None:
    try:
        act()
    except data.BirdError as error:
        st.session_state[f"_more_failed_{study_id}"] = str(error)
