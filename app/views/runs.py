"""What was run? Every run there is, to be searched, marked and paged through, as cards or as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from app.address.url_state import adopt, keep_valid, publish, put
from app.backend import data
from app.backend.marks import known_tags
from app.components.page_head import page_head
from app.components.run_card import run_card
from app.components.run_picker import empty_state
from app.components.run_state import result_word
from app.components.runs_table import COLUMNS, USUAL, runs_table
from app.components.trash_view import trash_view
from bird_backend.experiments import KINDS

__all__ = ["render"]

_PER_PAGE = {"cards": 20, "table": 100}
_DEFAULTS: Mapping[str, Any] = {
    "find": "",
    "kind": "",
    "state": "",
    "tag": "",
    "starred": False,
    "archive": False,
    "show": "cards",
    "columns": USUAL,
    "page": 1,
}
_STATES: tuple[data.State, ...] = ("running", "queued", "interrupted", "done", "failed", "cancelled")
_FIRST_PAGE = ({"page": 1},)
"""For `put`: another list begins at its beginning."""


def render() -> None:
    """Draw the page."""
    page_head(
        "runs",
        "Every run of this home, those of studies, layer maps and galleries among them, the newest first.",
    )
    adopt("runs", _DEFAULTS)
    try:
        if not data.count_runs(archived=None):
            empty_state("Nothing was run yet", "Start with the demo; it takes about a minute on a laptop.")
        else:
            _list()
        trash_view()
    except data.BirdError as error:
        st.error(str(error))


def _list() -> None:
    kind, wanted = _filters()
    show = str(st.session_state["show"])
    count = data.count_runs(kind or None, **wanted)
    pages = max(1, math.ceil(count / _PER_PAGE[show]))
    st.session_state["page"] = min(max(1, st.session_state["page"]), pages)
    page = int(st.session_state["page"])
    first = (page - 1) * _PER_PAGE[show]
    found = data.list_runs(kind or None, limit=_PER_PAGE[show], offset=first, **wanted)
    publish("runs", {name: _value(name) for name in _DEFAULTS}, _DEFAULTS)
    if not found:
        st.markdown("**No run is like that.** Look for less, or for any kind and state.")
        return
    st.caption(f"{first + 1:,} to {first + len(found):,} of {count:,}")
    if show == "table":
        runs_table(found, st.session_state["columns"])
    else:
        for run in found:
            run_card(run)
    if pages > 1:
        st.pagination(pages, key="page")


def _filters() -> tuple[str, data.OfAnyKind]:
    """Draw what is looked for and how it is shown; returns the kind, and the rest of what is wanted."""
    left, *others = st.columns([2, 1, 1, 1])
    text = left.text_input(
        "Find", key="find", placeholder="in titles, names, tags, notes", on_change=put, args=_FIRST_PAGE
    )
    choices: dict[str, dict[str, str]] = {
        "kind": {name: kind.label for name, kind in KINDS.items()},
        "state": {name: result_word(name) for name in _STATES},
        "tag": {name: f"{name} ({runs:,})" for name, runs in known_tags().items()},
    }
    for column, (key, words) in zip(others, choices.items(), strict=True):
        keep_valid(key, ["", *words], "")
        options = ["", *words]
        column.selectbox(
            key.capitalize(), options, format_func=partial(_word, words), key=key, on_change=put, args=_FIRST_PAGE
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        starred = st.toggle("Starred", key="starred", on_change=put, args=_FIRST_PAGE)
        archive = st.toggle(
            "The archive", key="archive", help="What was put away, in its place.", on_change=put, args=_FIRST_PAGE
        )
        keep_valid("show", list(_PER_PAGE), "cards")
        show = st.segmented_control(
            "Show as",
            list(_PER_PAGE),
            format_func=str.capitalize,
            key="show",
            required=True,
            label_visibility="collapsed",
            on_change=put,
            args=_FIRST_PAGE,
        )
    if show == "table":
        st.session_state["columns"] = [name for name in st.session_state["columns"] if name in COLUMNS]
        st.multiselect("Columns", list(COLUMNS), format_func=COLUMNS.__getitem__, key="columns")
    state = st.session_state["state"]
    return str(st.session_state["kind"]), {
        "states": tuple(name for name in _STATES if state in ("", name)),
        "text": (text or "").strip(),
        "tag": str(st.session_state["tag"]),
        "starred": bool(starred),
        "archived": bool(archive),
    }


def _word(words: Mapping[str, str], name: str) -> str:
    return words.get(name, "Any")


def _value(name: str) -> Any:
    value = st.session_state.get(name, _DEFAULTS[name])
    return tuple(value) if name == "columns" else value if value is not None else ""
