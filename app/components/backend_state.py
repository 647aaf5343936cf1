"""The sidebar's quiet word on the backend: whether someone works on the queue, on what, and what they are at."""

from __future__ import annotations

import time

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.machine import machine
from app.components.drawing_again import draw_again

__all__ = ["backend_state", "start_backend"]


_STARTING_SECONDS = 15.0
"""A supervisor that was started this lately is on its way rather than gone."""


@st.cache_resource(show_spinner=False)
def _started_once() -> float:
    data.ensure_worker()
    return time.monotonic()


def start_backend() -> None:
    """See to it that a supervisor lives, once per server; a home that can't be written is said on the page."""
    try:
        _started_once()
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
    except OSError as error:
        st.error(f"The backend can't be started: {error}; set BIRD_HOME to a folder that can be written.")


def backend_state() -> None:
    """Draw it; it keeps itself up to date while anything runs or waits."""
    try:
        changing = _changing()
    except data.BirdError:
        return
    st.fragment(_draw, run_every=3 if changing else None)()


def _changing() -> bool:
    return bool(data.active_runs()) or _starting()


def _starting() -> bool:
    return not data.worker_alive() and time.monotonic() - _started_once() < _STARTING_SECONDS


def _draw() -> None:
    # Once nothing moves any more the timer goes on until the page is next drawn: drawing it anew for that alone would
    # come at a moment of its own, perhaps that of a click.
    runs = data.active_runs()
    alive = data.worker_alive()
    running = [run for run in runs if run.state == "running"]
    with st.container(key="backend_state", gap="xxsmall"):
        if alive:
            st.caption(f":green[●] Backend ready · {machine().words}")
        elif _starting():
            st.caption(f":gray[●] Backend starting · {machine().words}")
        else:
            st.caption(f":orange[●] Backend asleep · {machine().words}")
            if st.button(
                "Wake it", icon=":material/power_settings_new:", help="Start the process that works on the queue."
            ):
                data.ensure_worker(wait_seconds=3)
                draw_again()
        if running:
            link("live", "Watch the run", icon=":material/play_circle:", help=running[0].title, run=running[0].id)
        waiting = len(runs) - len(running)
        if len(running) > 1 or waiting:
            st.caption(f"{len(running)} running · {waiting} waiting")
