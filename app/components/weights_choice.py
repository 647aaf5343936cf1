"""The list from which a teacher or a student is chosen, any other network by its name, and what is known of it."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from app.address.routes import link
from app.address.url_state import keep_valid, put
from app.backend.weights import RANDOM, Weights, offered
from app.components.network_naming import NAMED_HELP, network_naming

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
    options = offered(role, data, known, named=str(st.session_state.get(role, "")))
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
    _by_name(role, known)
    return weights


def _by_name(role: str, known: dict[str, Weights]) -> None:
    """Any network that is in no list: its name, and its weights."""
    popover = st.popover(
        f"Another network as {role}",
        type="tertiary",
        icon=":material/add_circle:",
        key=f"_{role}_naming",
        on_change="rerun",
        help=NAMED_HELP,
    )
    if not popover.open:
        return
    with popover:
        network = network_naming(role)
        if network is None:
            return
        values = [f"{RANDOM}{network}", *(value for value, each in known.items() if each.network == network)]
        keep_valid(f"_{role}_weights", values, values[-1])
        value = str(
            st.selectbox(
                "Weights",
                values,
                format_func=lambda value: "Random, drawn from the seed" if value not in known else known[value].label,
                key=f"_{role}_weights",
                help="Those here that are of this network; a file of others is brought on the Models page.",
            )
        )
        st.button(f"Take it as {role}", on_click=_take, args=(role, value), key=f"{role}_take")
        link("models", "Bring weights in a file", icon=":material/upload_file:", part="bring")


def _take(role: str, value: str) -> None:
    put({role: value, f"_{role}_naming": False})
