"""The head of a page: the question it answers, and one sentence on how to read it."""

from __future__ import annotations

import streamlit as st

from app.address.routes import ROUTES
from app.components.run_marks import undo_bar

__all__ = ["page_head"]


def page_head(name: str, sentence: str, *, question: str | None = None, help: str | None = None) -> None:
    """Draw the head of page `name` of the routes; `question` is another one than the page usually answers.

    What was just deleted can be had back from here, whichever page one went on to.
    """
    st.title(question or ROUTES[name].question, anchor=False, help=help)
    with st.container(key="page_sentence"):
        st.markdown(sentence)
    undo_bar()
