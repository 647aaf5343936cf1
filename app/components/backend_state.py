"""The sidebar's quiet word on the backend: whether someone works on the queue, on what, and what they are at."""

from __future__ import annotations

import streamlit as st

from app import data
from app.machine import machine
from app.routes import link

__all__ = ["backend_state", "start_backend"]


@st.cache_resource(show_spinner=False)
def _started_once() -> bool:
    data.ensure_worker()
    return True


def start_backend() -> None:
    """See to it that a supervisor lives, once per server; a home that can't be written is said on the page."""
    try:
        _started_once()
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")


def backend_state() -> None:
    """Draw it; it keeps itself up to date while anything runs or waits."""
    try:
        busy = any(data.is_active(run) for run in data.list_runs(limit=20))
    except data.BirdError:
        return
    st.fragment(_draw, run_every=4 if busy else None)()


def _draw() -> None:
    try:
        runs = [run for run in data.list_runs(limit=50) if data.is_active(run)]
        alive = data.worker_alive()
    except data.BirdError:
        return
    running = [run for run in runs if run.state == "running"]
    with st.container(key="backend_state", gap="xxsmall"):
        if alive:
            st.caption(f":green[●] Backend ready · {machine().words}")
        else:
            st.caption(f":orange[●] Backend asleep · {machine().words}")
            if st.button(
                "Wake it", icon=":material/power_settings_new:", help="Start the process that works on the queue."
            ):
                data.ensure_worker(wait_seconds=3)
                st.rerun(scope="fragment")
        if running:
            link("live", "Watch the run", icon=":material/play_circle:", help=running[0].title, run=running[0].id)
        waiting = len(runs) - len(running)
        if len(running) > 1 or waiting:
            st.caption(f"{len(running)} running · {waiting} waiting")
