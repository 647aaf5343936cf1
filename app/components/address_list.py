"""A list of which one is chosen, by its name in the address, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

__all__ = ["address_list", "address_toggle"]

_BEYOND = ""


def address_list(
    parameter: str,
    words: Mapping[str, str],
    chosen: str,
    *,
    label: str,
    key: str,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
    forget: Sequence[str] = (),
    beyond: str = "",
) -> bool:
    """Draw it, `words` by name; a pick goes into `parameter`, and what the address has of `forget` goes out of it.

    `beyond` is a last entry that is no choice but leads to what the list leaves out; true where it was picked just now.
    """

    def pick() -> None:
        # Written at once: what is forgotten still belongs to the entry of the browser's history that is left.
        if st.session_state[key] == _BEYOND:
            st.session_state[f"{key}_beyond"] = True
            return
        others = {name: value for name, value in st.query_params.to_dict().items() if name not in forget}
        st.query_params.from_dict(others | {parameter: st.session_state[key]})

    st.session_state[key] = chosen
    st.selectbox(
        label,
        [*words, *([_BEYOND] if beyond else [])],
        # Asked for the last pick too, which may be gone since.
        format_func=lambda name: beyond if name == _BEYOND else words.get(name, str(name)),
        key=key,
        on_change=pick,
        help=help,
        label_visibility=label_visibility,
    )
    return bool(st.session_state.pop(f"{key}_beyond", False))


def address_toggle(
    parameter: str, words: Mapping[str, str], chosen: str, *, label: str, key: str, help: str | None = None
) -> None:
    """The same as a row of buttons, for a few that one goes to and fro between."""

    def pick() -> None:
        st.query_params[parameter] = st.session_state[key]

    st.session_state[key] = chosen
    st.segmented_control(
        label,
        list(words),
        format_func=lambda name: words.get(name, str(name)),
        key=key,
        on_change=pick,
        help=help,
        required=True,
    )
