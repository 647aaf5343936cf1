"""Whose images a page shows, by the address: a data set by name, or one's own by path or dropped."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.backend.own_images import own_names
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.own_source import own_source
from app.form.images import OWN, data_sets, own_name, own_problem
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.errors import BirdError, is_plain

__all__ = ["images_choice"]


def images_choice(page: str, *, first: str = OWN, help: str, forget: Sequence[str] = ()) -> str | None:
    """Draw the list for a page; returns the data set that the address names, `first` where it says nothing.

    None where it is to be one's own and nobody has said yet which.
    """
    asked = _one_spelling(st.query_params.get("data", "") or first)
    mine = catalog.own_path(asked) is not None and is_plain(asked)
    known = mine or (asked != first and is_plain(asked) and _is_narrowed(asked))
    words = {OWN: "Other images of mine" if mine else "My own images", **({asked: title_of(asked)} if known else {})}
    words |= {name: title_of(name) for name in (*own_names(), *data_sets()) if name != asked or not known}
    chosen = asked if asked in words else first
    if asked not in words:
        stands_in = "" if first == OWN else f", so {title_of(first)} stands in"
        st.warning(f"There is no data set `{asked[:60].replace('`', '')}` here{stands_in}.")
    address_list("data", words, chosen, label="Images of", key=f"_{page}_data", help=help, forget=forget)
    if chosen != OWN:
        return chosen
    said = own_source(f"_{page}_path")
    if not said:
        return None
    name = own_name(said)
    if own_problem(name) is None:
        st.query_params.from_dict({**st.query_params.to_dict(), "data": name})
        draw_again()
    return name


def _one_spelling(name: str) -> str:
    try:
        return catalog.data_name(name) if is_plain(name) else name
    except BirdError:
        return name


def _is_narrowed(name: str) -> bool:
    """Whether it is a data set with a name and some of its classes."""
    try:
        return catalog.apart(catalog.data_name(name))[1] is not None
    except BirdError:
        return False
