"""Which did better? A study of variants and seeds as it fills, or any runs that were picked by hand."""

from __future__ import annotations

import streamlit as st

from app.address.kept import keep, recall
from app.backend import data
from app.components.page_head import page_head
from app.components.run_comparison import run_comparison
from app.components.study_view import study_view

__all__ = ["render"]

_MODES = {"study": "A study", "runs": "Any runs"}
_NAMES = ("of", "study", "runs")


def render() -> None:
    """Draw the page."""
    page_head(
        "compare",
        "A study runs every variant with the same seeds and the same budget, and one table says what came of it. Look "
        "at the intervals and at the control before you believe a difference.",
    )
    recall("compare", _NAMES)
    asked = st.query_params.get("of", "runs" if "runs" in st.query_params else "study")
    st.session_state["_of"] = asked if asked in _MODES else "study"
    mode = st.segmented_control(
        "Compare",
        list(_MODES),
        format_func=_MODES.__getitem__,
        key="_of",
        required=True,
        on_change=lambda: st.query_params.update({"of": st.session_state["_of"]}),
        label_visibility="collapsed",
    )
    try:
        study_view() if mode == "study" else run_comparison()
    except data.BirdError as error:
        st.error(str(error))
    keep("compare", {name: st.query_params[name] for name in _NAMES if name in st.query_params})
