"""A study as one card in place of its runs': how far it is, and the way to its table."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.studies import Study
from app.components.run_state import since
from app.components.study_progress import study_bar, study_buttons
from app.words.markdown import plain

__all__ = ["study_card"]


def study_card(study: Study, runs: Mapping[str, data.Run]) -> None:
    """Draw it; `runs` are the study's."""
    with st.container(border=True, key=f"card_{study.id}", gap="xsmall"):
        left, right = st.columns([1.45, 1], vertical_alignment="center")
        with left, st.container(gap="xsmall"):
            st.markdown(f"**{plain(study.title)}**")
            seeds = f"{len(study.seeds)} seed{'s' if len(study.seeds) > 1 else ''}"
            rows = "pairs and references" if study.preset == "pairs" else "variants"
            st.caption(f"Study · {len(study.variants)} {rows}, {seeds} · {since(study.created)}")
        with right, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            link("compare", "Its table", icon=":material/stacked_line_chart:", study=study.id)
            study_buttons(study, runs)
        study_bar(study, runs)
