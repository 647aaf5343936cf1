"""One button that compares every method on a transfer, or varies one thing of it: how many runs, how long, then go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address.routes import go
from app.backend import data
from app.backend.machine import machine
from app.backend.studies import ABLATIONS, USUAL_CONTROLS, Plan, already_there, plan_study, start_study
from app.form.estimates import study_seconds
from bird_backend.durations import rough
from bird_backend.errors import BirdError
from bird_backend.specs import CONTROLS

__all__ = ["study_starter"]

_SEEDS = 3


def study_starter(document: Mapping[str, Any], *, key: str, title: str) -> None:
    """Draw it for the transfer that `document` asks for; pressing the button leaves for the compare page."""
    with st.container(border=True, key=f"{key}_starter"):
        st.header(title, anchor=False)
        preset = str(
            st.selectbox(
                "What to vary",
                ["methods", *ABLATIONS],
                format_func=lambda name: "The method: all of them" if name == "methods" else ABLATIONS[name].title,
                key=f"{key}_preset",
                help="Everything else, the budget first of all, stays as it is in each of the runs.",
            )
        )
        seeds = int(
            st.number_input(
                "Seeds",
                value=_SEEDS,
                step=1,
                key=f"{key}_seeds",
                help="Each variant is run with so many seeds. The table's intervals are over seeds from two on; with "
                "one they are over test images, and say nothing of other seeds.",
            )
        )
        controls = _controls(key) if preset == "methods" else ()
        try:
            plan = plan_study(document, preset, seeds=seeds, controls=controls)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
            plan = None
        if plan is not None:
            _says(plan)
        label = "Compare every method" if preset == "methods" else f"Vary the {ABLATIONS[preset].title.lower()}"
        pressed = st.button(
            label, key=f"{key}_start", icon=":material/stacked_line_chart:", disabled=plan is None, width="stretch"
        )
    if pressed and plan is not None:
        try:
            study = start_study(plan)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("compare", study=study.id)


def _controls(key: str) -> tuple[str, ...]:
    picked = st.pills(
        "Controls",
        list(CONTROLS),
        default=list(USUAL_CONTROLS),
        selection_mode="multi",
        format_func=lambda name: CONTROLS[name].label.capitalize(),
        key=f"{key}_controls",
        wrap=True,
        help="\n".join(f"- **{control.title}**: {control.caption}" for control in CONTROLS.values()),
    )
    return tuple(name for name in CONTROLS if name in picked)


def _says(plan: Plan) -> None:
    asked, there = len(plan.asked), already_there(plan)
    seconds = study_seconds(plan, data.list_runs(kind="transfer", limit=15), machine()) * (asked - there) / asked
    variants = asked // len(plan.seeds)
    words = f"{variants} variants × {len(plan.seeds)} seed{'s' if len(plan.seeds) > 1 else ''} = **{asked} runs**"
    took = f", **about {rough(seconds)}** on {machine().words}" if there < asked else ""
    again = f"; {there} of them {'is' if there == 1 else 'are'} there already and taken as they are" if there else ""
    st.markdown(f"{words}{took}{again}.")
    left_out = [note for note in plan.notes if "left out" in note]
    for note in left_out:
        st.caption(f":orange[:material/info:] {note}")
