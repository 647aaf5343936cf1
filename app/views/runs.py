"""What was run? Every run there is, to be searched and paged through."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address.url_state import adopt, keep_valid, publish, put
from app.backend import data
from app.components.page_head import page_head
from app.components.run_card import run_card
from app.components.run_picker import empty_state
from app.components.run_state import result_word
from bird_backend.experiments import KINDS

__all__ = ["render"]

_PER_PAGE = 20
_DEFAULTS: Mapping[str, Any] = {"find": "", "kind": "", "state": "", "page": 1}
_STATES: tuple[data.State, ...] = ("running", "queued", "interrupted", "done", "failed", "cancelled")


def render() -> None:
    """Draw the page."""
    page_head(
        "runs",
        "Every run of this home, those of studies, layer maps and galleries among them, the newest first.",
    )
    adopt("runs", _DEFAULTS)
    try:
        if not data.count_runs():
            empty_state("Nothing was run yet", "Start with the demo; it takes about a minute on a laptop.")
            return
        _list()
    except data.BirdError as error:
        st.error(str(error))


def _list() -> None:
    left, middle, right = st.columns([2, 1, 1])
    text = left.text_input(
        "Find", key="find", placeholder="part of a title or an id", on_change=put, args=({"page": 1},)
    )
    keep_valid("kind", ["", *KINDS], "")
    kind = middle.selectbox(
        "Kind",
        ["", *KINDS],
        format_func=lambda name: KINDS[name].label if name else "Any",
        key="kind",
        on_change=put,
        args=({"page": 1},),
    )
    keep_valid("state", ["", *_STATES], "")
    state = right.selectbox(
        "State",
        ["", *_STATES],
        format_func=lambda name: result_word(name) if name else "Any",
        key="state",
        on_change=put,
        args=({"page": 1},),
    )
    states = tuple(name for name in _STATES if state in ("", name))
    count = data.count_runs(kind or None, states=states, text=(text or "").strip())
    pages = max(1, math.ceil(count / _PER_PAGE))
    st.session_state["page"] = min(max(1, st.session_state["page"]), pages)
    page = int(st.session_state["page"])
    found = data.list_runs(
        kind or None,
        states=states,
        text=(text or "").strip(),
        limit=_PER_PAGE,
        offset=(page - 1) * _PER_PAGE,
    )
    publish("runs", {"find": text or "", "kind": kind, "state": state, "page": page}, _DEFAULTS)
    if not found:
        st.markdown("**No run is like that.** Look for less, or for any kind and state.")
        return
    first = (page - 1) * _PER_PAGE + 1
    st.caption(f"{first:,} to {first + len(found) - 1:,} of {count:,}")
    for run in found:
        run_card(run)
    if pages > 1:
        st.pagination(pages, key="page")
