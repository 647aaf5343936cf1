"""What is moving here? What this app is, the demo behind one button, and the runs there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.address.routes import ROUTES, go, link
from app.backend import data
from app.backend.studies import list_studies, runs_of
from app.components.drawing_again import draw_again
from app.components.run_card import run_card
from app.components.run_marks import undo_bar
from app.components.run_picker import latest_of
from app.components.study_card import study_card
from app.components.transfer_diagram import transfer_diagram
from bird_backend.experiments import KINDS

__all__ = ["render"]

_SHOWN = 8
"""Finished runs and studies on this page; the rest are a link away."""
_ACTIVE = 24
_WAITING: tuple[data.State, ...] = ("queued", "interrupted")


def render() -> None:
    """Draw the page."""
    try:
        demo, entries = _demo(), _entries()
    except data.BirdError as error:
        st.title(ROUTES["overview"].question, anchor=False)
        st.error(str(error), icon=":material/error:")
        return
    _hero(demo, first_time=not entries)
    if entries:
        st.fragment(_runs, run_every=1.5 if any(entry.active for entry in entries) else None)()
    else:
        _first_steps()


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A card: a run of its own, or a study in place of its runs."""

    created: float
    running: bool
    active: bool
    draw: Callable[[], None]


def _entries() -> list[_Entry]:
    """What is running, then what waits, then what is finished, the newest first."""
    kinds = _kinds()
    alone = {
        run.id: run
        for states in (("running",), _WAITING, ("done", "failed", "cancelled"))
        for run in data.list_runs(kinds, states=states, loose=True, limit=_ACTIVE)
    }
    entries = [
        _Entry(
            created=run.created,
            running=run.state == "running",
            active=data.is_active(run),
            draw=partial(run_card, run),
        )
        for run in alone.values()
    ]
    for study in list_studies(limit=_ACTIVE):
        runs = runs_of(study)
        entries.append(
            _Entry(
                created=study.created,
                running=any(run.state == "running" for run in runs.values()),
                active=any(data.is_active(run) for run in runs.values()),
                draw=partial(study_card, study, runs),
            )
        )
    return sorted(entries, key=lambda entry: (entry.running, entry.active, entry.created), reverse=True)


def _kinds() -> list[str]:
    """Those whose runs are looked at by themselves; the others answer a form's question."""
    return [kind.name for kind in KINDS.values() if not kind.answers_form]


def _demo() -> data.Run | None:
    try:
        return data.active_demo()
    except data.InputError:
        return None


def _hero(demo: data.Run | None, *, first_time: bool) -> None:
    with st.container(key="hero"):
        words, picture = st.columns([1, 1.12], gap="large", vertical_alignment="center")
        with words:
            st.title(ROUTES["overview"].question, anchor=False)
            st.markdown(
                "Inside a network, images that mean the same lie close together: it has a geometry. BIRD takes the "
                "geometry of a **teacher** that shrugs off noise and induces it in a **student** that does another "
                "task, and you watch whether the robustness comes along.",
            )
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                if demo is None:
                    pressed = st.button(
                        "Run the demo transfer", type="primary", icon=":material/play_arrow:", key="run_demo"
                    )
                else:
                    pressed = st.button(
                        "Watch the demo that is running", type="primary", icon=":material/timeline:", key="run_demo"
                    )
                if not first_time or demo is not None:
                    link("launch", "Choose my own", icon=":material/rocket_launch:")
            st.caption(
                "A robust teacher of five kinds of clothes, a student of five others. About a minute on a laptop; it "
                "goes on if you close the page."
            )
            if pressed:
                _start()
        with picture:
            transfer_diagram()


def _start() -> None:
    try:
        run = data.start_demo()
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
    else:
        go("live", run=run.id)


def _runs() -> None:
    undo_bar()
    entries = _entries()
    active = [entry for entry in entries if entry.active]
    known = st.session_state.get("_overview_active")
    st.session_state["_overview_active"] = len(active)
    if known and not active:
        # The last one has ended: draw the whole page once more, so that the timer stops.
        draw_again()
    waits = data.count_runs(_kinds(), states=_WAITING, loose=True)
    finished = [entry for entry in entries if not entry.active][:_SHOWN]
    for title, part in (("Under way", active), ("Finished", finished)):
        if part:
            st.header(title, anchor=False)
            for entry in part:
                entry.draw()
            if part is active:
                latest_of(min(waits, _ACTIVE), waits, what="runs that wait")
    with st.container(horizontal=True, gap="medium"):
        link("runs", "All runs", icon=":material/list:")
        done = data.list_runs("transfer", states=("done",), loose=True, limit=2)
        if len(done) == 2:
            both = ",".join(run.id for run in done)
            link("compare", "Compare the last two", icon=":material/stacked_line_chart:", runs=both)


def _first_steps() -> None:
    st.header("What you will see", anchor=False)
    steps = (
        (
            "live",
            "Is the geometry moving?",
            "The two networks grow alike while the student trains; without the teacher they stay as they were.",
        ),
        (
            "embeddings",
            "Where do the images sit?",
            "A thousand images as points, teacher and student side by side, sliding step by step.",
        ),
        (
            "robustness",
            "Did it help?",
            "Accuracy under every condition, before, with plain fine-tuning and after it all, with uncertainty.",
        ),
    )
    for column, (name, question, sentence) in zip(st.columns(3), steps, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"{ROUTES[name].icon} **{question}**")
            st.caption(sentence)
    link("launch", "Or choose everything yourself", icon=":material/rocket_launch:")
