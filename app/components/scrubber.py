"""The one slider of a page: a step of training and a student, which charts, matrices and maps follow in the browser."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.kept import put_view
from app.backend import data
from app.components.live_chart import mount
from app.findings.moments import tracks

__all__ = ["SCRIPTS", "scrubber"]

SCRIPTS = ("theme.js", "clock.js", "scrubber.js")


def scrubber(run: data.Run, metrics: pd.DataFrame, *, key: str) -> bool:
    """Draw it for a run, whose id is its clock's name; false, drawing nothing, before a student has a snapshot."""
    found = tracks(data.snapshot_names(run), metrics)
    if not found:
        return False
    step = st.query_params.get("step", "")

    def remember() -> None:
        at = st.session_state[key].get("at") or {}
        put_view(run.id, {"arm": at.get("arm"), "step": at.get("step")})

    mount(
        "bird_scrubber",
        html='<section class="player" aria-label="Step of training"></section>',
        scripts=SCRIPTS,
        styles=("player.css", "scrubber.css"),
        key=key,
        data={
            "clock": run.id,
            "tracks": found,
            "active": data.is_active(run),
            "arm": st.query_params.get("arm"),
            "step": int(step) if step.isdigit() else None,
        },
        on_at_change=remember,
    )
    return True
