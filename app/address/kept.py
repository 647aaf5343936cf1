"""What was looked at last, for a page that is come to by an address that doesn't say: the sidebar names pages only.

The address alone says what is shown. What was kept is put into it, never read past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

__all__ = ["VIEW", "arrive", "keep", "kept", "put_chosen", "put_view", "recall", "view_of"]

VIEW = ("run", "arm", "step", "hide", "pick", "image", "colour", "select")
"""A run and what is looked at in it, alike on every page of a run: student, step, classes, images, colours."""


def arrive(page: str) -> None:
    """Note, before a page is drawn, whether the reader has just come to it."""
    st.session_state["_arrived"] = st.session_state.get("_page") != page
    st.session_state["_page"] = page


def keep(what: str, address: Mapping[str, str]) -> None:
    """Keep the parameters that are in the address for `what` now."""
    st.session_state[f"_{what}_address"] = dict(address)


def kept(what: str) -> dict[str, str] | None:
    """The parameters that `what` had last; none where it was not shown yet."""
    found: dict[str, str] | None = st.session_state.get(f"_{what}_address")
    return found


def recall(what: str, names: Iterable[str]) -> None:
    """On coming to a page whose address has none of `names`, put those kept of `what` into it."""
    if st.session_state.get("_arrived") and not any(name in st.query_params for name in names):
        st.query_params.update(kept(what) or {})


def view_of(run_id: str) -> dict[str, str]:
    """What the address says is looked at in that run; no more than the run where it is of another."""
    if st.query_params.get("run") != run_id:
        return {"run": run_id}
    return {name: st.query_params[name] for name in VIEW if name in st.query_params}


def put_view(run_id: str, chosen: Mapping[str, Any]) -> None:
    """Write what a reader has chosen in the browser of a run into the address, and keep it for its other pages."""
    put_chosen(chosen)
    keep("view", view_of(run_id))


def put_chosen(chosen: Mapping[str, Any]) -> None:
    """Write it into the address; none and nothing leave it."""
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in chosen}
    st.query_params.from_dict(others | {name: str(value) for name, value in chosen.items() if value not in (None, "")})
