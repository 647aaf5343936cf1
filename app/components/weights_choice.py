"""The list from which a teacher or a student is chosen, and what is known of the one chosen."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from app.address.url_state import keep_valid
from app.backend.weights import Weights, offered

__all__ = ["weights_choice"]

_HELP = {
    "teacher": "The network whose behaviour is copied. It stays frozen; only its activations on the student's own "
    "images are used, neither its data nor its labels.",
    "student": "The network that learns. It should know its task already, so that what BIRD adds can be told apart.",
}


def weights_choice(
    role: Literal["teacher", "student"], data: str, known: dict[str, Weights], *, fallback: str
) -> Weights:
    """Draw the list for `role` (the widget's key) and return the choice."""
    options = offered(role, data, known)
    missing = keep_valid(role, list(options), fallback)
    chosen = st.selectbox(
        role.capitalize(),
        list(options),
        format_func=lambda value: options[value].label,
        key=role,
        help=_HELP[role],
    )
    weights = options[chosen]
    st.caption(weights.caption)
    if missing:
        st.caption(f":orange[There is no {role} named {missing} here, so this one stands in.]")
    return weights
