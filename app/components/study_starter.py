"""One button that compares every method on a transfer, or varies one thing of it: how many runs, how long, then go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.backend.studies import ABLATIONS, USUAL_CONTROLS, plan_study
from app.components.pairs_starter import pairs_starter
from app.components.study_plan import study_plan
from bird_backend.specs import CONTROLS

__all__ = ["study_starter"]

_SEEDS = 3
_WORDS = {"methods": "The method: all of them", "pairs": "Pairs of networks and layers"}


def study_starter(document: Mapping[str, Any], *, key: str, title: str) -> None:
    """Draw it for the transfer that `document` asks for; pressing the button leaves for the compare page."""
    with st.container(border=True, key=f"{key}_starter"):
        st.header(title, anchor=False)
        preset = str(
            st.selectbox(
                "What to vary",
                ["methods", "pairs", *ABLATIONS],
                format_func=lambda name: _WORDS.get(name) or ABLATIONS[name].title,
                key=f"{key}_preset",
                help="Everything else, the budget first of all, stays as it is in each of the runs.",
            )
        )
        if preset == "pairs":
            pairs_starter(document, key=key)
            return
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
        study_plan(
            lambda: plan_study(document, preset, seeds=seeds, controls=controls),
            of=(document, preset, seeds, controls),
            key=key,
            label="Compare every method" if preset == "methods" else f"Vary the {ABLATIONS[preset].title.lower()}",
        )


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
