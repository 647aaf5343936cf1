"""Images that one teacher's layer knows and the student does not, the ones that no other teacher knows first."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.backend.teachers import ProbeAnswers
from bird_backend.errors import InputError

__all__ = ["known_images"]

_MOST = 24


def known_images(answers: ProbeAnswers, *, teacher: str, layer: str, student: str, student_layer: str) -> None:
    """Draw how many there are and the pictures that were kept of them, each with its class and the student's answer."""
    pair = (teacher, layer, student, student_layer)
    try:
        known, alone = answers.known_to(*pair), answers.known_to(*pair, alone=True)
        said = answers.of(student, student_layer, student=True)
    except InputError as error:
        st.caption(str(error))
        return
    st.markdown(
        f"**{len(known):,} of {len(answers.labels):,} images** this layer's probe gets right and your student's "
        f"wrong; **{len(alone):,}** of them no other teacher here gets right."
    )
    place = {int(column): index for index, column in enumerate(answers.shown)}
    shown = [int(column) for column in [*alone, *np.setdiff1d(known, alone)] if int(column) in place][:_MOST]
    if not shown:
        return
    names = [str(name) for name in answers.classes]
    captions = [
        f"{names[answers.labels[column]]}, not {names[said[column]].lower()}{' ★' if column in alone else ''}"
        for column in shown
    ]
    pictures = [answers.pictures[place[column]] for column in shown]
    st.image(pictures, caption=captions, alt=captions, width=72)
    st.caption("Under each: what it is, and what your student's probe takes it for. ★ no other teacher gets it right.")
