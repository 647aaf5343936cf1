"""The page drawn anew from its top, or a part of it, without losing a click that came meanwhile."""

from __future__ import annotations

from typing import Literal, NoReturn

import streamlit as st

__all__ = ["draw_again"]


def draw_again(scope: Literal["app", "fragment"] = "app") -> NoReturn:
    """Run the page anew, or only the fragment that asks; whatever the reader asked for in between goes first.

    `st.rerun` takes the place of any request that waits, Back or a click on another page among them, which would
    then be answered with this page. A part that is timed asks at a moment of its own, so that does happen. Writing
    to the page is where Streamlit begins what waits: hence something is written first.
    """
    st.empty()
    st.rerun(scope=scope)
