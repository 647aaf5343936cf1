"""What is moving here? What this app is, the demo behind one button, and the runs there are."""

from __future__ import annotations

import streamlit as st

from app.address.routes import ROUTES, go, link
from app.backend import data
from app.components.run_card import run_card
from app.components.transfer_diagram import transfer_diagram
from bird_backend.experiments import KINDS

__all__ = ["render"]

_SHOWN = 12


def render() -> None:
    """Draw the page."""
    try:
        demo, runs = _demo(), [run for run in data.list_runs(limit=60) if not KINDS[run.kind].answers_form]
    except data.BirdError as error:
        st.title(ROUTES["overview"].question, anchor=False)
        st.error(str(error), icon=":material/error:")
        return
    _hero(demo, first_time=not runs)
    if runs:
        st.subheader("Recent runs", anchor=False)
        st.fragment(_recent, run_every=1.5 if any(data.is_active(run) for run in runs) else None)()
    else:
        _first_steps()


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
                "A robust teacher of hand-written digits, a student of clothing. About a minute on a laptop; it goes "
                "on if you close the page."
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


def _recent() -> None:
    runs = [run for run in data.list_runs(limit=60) if not KINDS[run.kind].answers_form][:_SHOWN]
    active = [run.id for run in runs if data.is_active(run)]
    known = st.session_state.get("_overview_active")
    st.session_state["_overview_active"] = active
    if known and not active:
        # The last one has ended: draw the whole page once more, so that the timer stops.
        st.rerun()
    for run in runs:
        run_card(run)
    if len(runs) > 1:
        done = [run.id for run in runs if run.state == "done" and run.kind == "transfer"][:2]
        if len(done) == 2:
            link("compare", "Compare the last two", icon=":material/stacked_line_chart:", runs=",".join(done))


def _first_steps() -> None:
    st.subheader("What you will see", anchor=False)
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
