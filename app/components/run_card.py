"""A run as a card: what it is, how far it has come or what came of it, and where to look."""

from __future__ import annotations

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.components.relaunch import relaunch_link
from app.components.run_marks import marks_line, marks_popover
from app.components.run_state import run_badge, since
from app.findings.headline import headline
from app.words.markdown import plain
from bird_backend.durations import exact
from bird_backend.experiments import KINDS

__all__ = ["run_card"]


def run_card(run: data.Run) -> None:
    """Draw the card of a run."""
    with st.container(border=True, key=f"card_{run.id}", gap="xsmall"):
        left, right = st.columns([1.45, 1], vertical_alignment="center")
        with left, st.container(gap="xsmall"):
            star = ":orange[★] " if run.marks.starred else ""
            st.markdown(f"{star}**{plain(run.title)}**")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                run_badge(run)
                st.caption(" · ".join([KINDS[run.kind].label, since(run.created), *_seed(run)]), width="content")
        with (
            right,
            st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"),
        ):
            link("live", "Watch" if data.is_active(run) else "Open", icon=":material/timeline:", run=run.id)
            if run.state == "done" and "geometry" in KINDS[run.kind].shows:
                link("robustness", "Robustness", icon=":material/shield:", run=run.id)
            marks_popover(run)
            relaunch_link(run, "Change", help="The form it came from, filled in: change something and launch again.")
        marks_line(run)
        _outcome(run)


def _seed(run: data.Run) -> list[str]:
    try:
        return [f"seed {data.spec_of(run).seed}"]
    except data.BirdError:
        return []  # its spec is gone or damaged, which its page says


def _outcome(run: data.Run) -> None:
    if data.is_active(run):
        progress = data.progress(run) or {}
        eta = progress.get("eta_seconds")
        left = f" · {exact(eta)} left" if eta is not None and run.state == "running" else ""
        phase = progress.get("phase") or ("Waiting for the device" if run.state == "queued" else "Starting")
        st.progress(min(1.0, max(0.0, float(progress.get("fraction") or 0.0))), text=f"{phase}{left}")
    elif run.state == "failed":
        st.markdown(f":red[{plain(run.reason or 'It ended without saying why; the log may know.')}]")
    elif (result := headline(run)) is not None:
        colour = "gray" if result.gap is None else _colour(result.gap.value, result.gap.beyond_noise)
        st.markdown(f":{colour}[**{result.figure}**] {result.words}", help=result.detail)


def _colour(value: float, beyond_noise: bool) -> str:
    if not beyond_noise:
        return "gray"
    return "blue" if value > 0 else "orange"
