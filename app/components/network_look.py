"""What a network is made of, found out by a light run as soon as it is named: under way, failed, or known."""

from __future__ import annotations

import streamlit as st

from app.backend import data
from app.backend.named_networks import Look, find_look, look_at
from app.components.drawing_again import draw_again
from app.components.job_wait import wait_for
from bird_backend import catalog
from bird_backend.catalog import ModelFacts
from bird_backend.specs import ModelRef

__all__ = ["network_look"]


def network_look(key: str, ref: ModelRef, image_size: int | None) -> Look:
    """Ask for it where nobody has, and draw what there is to wait for, to mend or to know.

    `key` tells two of a page apart; `image_size` is that of the images it is to see, none where it isn't known yet.
    """
    try:
        look = find_look(ref, None) if image_size is None else look_at(ref, image_size)
    except data.BirdError as error:
        look = Look(problem=str(error))
    if look.problem is not None:
        st.error(look.problem, icon=":material/error:")
        again = image_size is not None and look.run is not None
        if again and st.button("Look again", icon=":material/refresh:", key=f"{key}_look_again"):
            look_at(ref, image_size or 0, retry=True)
            draw_again()
    elif look.run is not None and data.is_active(look.run):
        wait_for(look.run, "Looking at the network")
    elif image_size is None and look.facts is None:
        st.caption("The network is looked at as soon as your images are read, since its layers depend on their size.")
    elif look.facts is not None and ref.model not in catalog.models():
        st.caption(_words(look.facts))
    for remark in look.remarks:
        st.caption(f":orange[:material/info:] {remark}")
    return look


def _words(facts: ModelFacts) -> str:
    side = f"{facts.image_size} × {facts.image_size}"
    blocks = len(facts.outline)
    return (
        f"{facts.parameters:,} parameters; {_short(facts.multiply_adds)} multiply-adds for an image of {side} pixels; "
        f"{blocks} block{'s' if blocks != 1 else ''} with {len(facts.layers)} layers in all."
    )


def _short(count: int) -> str:
    """`4.1 billion`, `320 million`."""
    for size, name in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return str(count)
