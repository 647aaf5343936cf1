"""The one slider of a page: a step of training and a student, which charts, matrices and maps follow in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.address.kept import put_chosen, put_view
from app.backend import data
from app.components.live_chart import mount
from app.findings.moments import Track, cka_at, shared_track, students_in, tracks

__all__ = ["SCRIPTS", "scrubber", "shared_scrubber"]

SCRIPTS = ("theme.js", "clock.js", "scrubber.js")


def scrubber(run: data.Run, metrics: pd.DataFrame, *, key: str) -> bool:
    """Draw it for a run, whose id is its clock's name; false, drawing nothing, before a student has a snapshot."""
    found = tracks(data.snapshot_names(run), metrics)

    def remember(at: Mapping[str, Any]) -> None:
        put_view(run.id, {"arm": at.get("arm"), "step": at.get("step")})

    return _mounted(run.id, found, active=data.is_active(run), key=key, remember=remember)


def shared_scrubber(runs: Mapping[str, data.Run], clock: str, *, key: str) -> bool:
    """Draw one for several runs by name, each seen at its own method's snapshots; false before any has one."""
    kept = {
        name: (students_in(data.snapshot_names(run)).get(data.arm_of(run), []), data.metrics(run))
        for name, run in runs.items()
    }
    track = shared_track({name: (shots, cka_at(metrics)) for name, (shots, metrics) in kept.items()})
    active = any(data.is_active(run) for run in runs.values())

    def remember(at: Mapping[str, Any]) -> None:
        put_chosen({"step": at.get("step")})

    return _mounted(clock, [track] if track["steps"] else [], active=active, key=key, remember=remember)


def _mounted(
    clock: str, found: list[Track], *, active: bool, key: str, remember: Callable[[Mapping[str, Any]], None]
) -> bool:
    if not found:
        return False
    step = st.query_params.get("step", "")
    mount(
        "bird_scrubber",
        html='<section class="player" aria-label="Step of training"></section>',
        scripts=SCRIPTS,
        styles=("player.css", "scrubber.css"),
        key=key,
        data={
            "clock": clock,
            "tracks": found,
            "active": active,
            "arm": st.query_params.get("arm"),
            "step": int(step) if step.isdigit() else None,
        },
        on_at_change=lambda: remember(st.session_state[key].get("at") or {}),
    )
    return True
