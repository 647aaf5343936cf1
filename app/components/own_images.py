"""Reading a data set to know what is in it: asked for as soon as it is named, its progress, what was found."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.own_images import Images, Inspection, inspect
from app.components.drawing_again import draw_again
from app.components.job_wait import wait_for

__all__ = ["own_images", "reading_state"]

_MOST_NAMED = 12


def own_images(name: str) -> Inspection:
    """What is known of one's own images, in a form."""
    found = inspect(name)
    if found.images is not None:
        st.caption(_words(found.images))
        if done := ", ".join(_done(found.images)):
            st.caption(f":orange[:material/info:] {done[0].upper()}{done[1:]}.")
    elif data.is_active(found.run):
        wait_for(found.run, "Reading the images")
    elif st.button("Read the images again", icon=":material/refresh:", key="read_again"):
        inspect(name, retry=True)
        draw_again()
    return found


def reading_state(name: str, found: Inspection) -> None:
    """What a page shows of images that are being read, or that couldn't be."""
    if data.is_active(found.run):
        wait_for(found.run, "Reading the images")
        with st.container(border=True):
            st.markdown(
                "**What is in these images appears here** once a job has read them. Image files are decoded once and "
                "kept, so that every run after this one begins at once."
            )
        return
    st.error(
        f"**These images can't be used.** {found.run.reason or 'Reading them was stopped.'}", icon=":material/error:"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Try again", icon=":material/refresh:", key="read_again"):
            inspect(name, retry=True)
            draw_again()
        link("live", "Its log", icon=":material/notes:", run=found.run.id)


def _done(images: Images) -> Iterator[str]:
    """What happens to them at whatever size."""
    reading = images.reading
    if reading is None:
        return
    of = f" of {reading['images']:,}"
    if count := reading["squashed"]:
        yield f"{count:,}{of} are not square and are squashed"
    if count := reading["transparent"]:
        yield f"{count:,}{of} are transparent in places and are put on white"
    if count := sum(each["count"] for each in reading["skipped"]):
        yield f"{count:,} file{'s' if count > 1 else ''} {'are' if count > 1 else 'is'} left out"


def _words(images: Images) -> str:
    named = ", ".join(images.classes[:_MOST_NAMED])
    more = f" and {len(images.classes) - _MOST_NAMED} more" if len(images.classes) > _MOST_NAMED else ""
    counts = f"{images.train:,} for training, {images.validation:,} for validation, {images.test:,} for testing"
    return f"{len(images.classes)} classes: {named}{more}. {counts}."
