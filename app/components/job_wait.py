"""A light job that a page waits for: how far it is, and the page drawn anew once it has ended."""

from __future__ import annotations

import streamlit as st

from app.backend import data
from app.components.drawing_again import draw_again

__all__ = ["wait_for"]


def wait_for(run: data.Run, doing: str) -> None:
    """Draw the progress of a run that is active; `doing` says what it does, as in "Reading the images"."""
    st.fragment(_wait, run_every=1)(run.id, doing)


def _wait(run_id: str, doing: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        draw_again()
    progress = data.progress(run) or {}
    words = "waiting for a worker" if run.state == "queued" else progress.get("phase") or "starting"
    st.progress(float(progress.get("fraction") or 0.0), text=f"{doing}… {words}")
