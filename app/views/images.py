"""What is in my images? A data set, one's own above all: classes, splits, sizes, pictures, what was left out."""

from __future__ import annotations

import streamlit as st

from app.address.kept import keep, recall
from app.backend import data
from app.backend.own_images import find_inspection, inspect, may_download
from app.components.drawing_again import draw_again
from app.components.images_choice import images_choice
from app.components.images_found import images_found
from app.components.kept_files import kept_files_section
from app.components.kept_images import kept_images_section
from app.components.own_images import reading_state
from app.components.own_source import LAYOUTS
from app.components.page_head import page_head
from app.form.images import own_problem
from bird_backend import catalog
from bird_backend.catalog import title_of

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    page_head(
        "images",
        "Before anything is trained on them: which classes there are, how many images each split has, what was "
        "squashed, enlarged or left out, and a few of each to look at.",
    )
    recall("images", ("data",))
    name = images_choice("images", help="Your own, or a data set that has a name.")
    keep("images", {} if name is None else {"data": name})
    try:
        if name is None:
            _nothing_named()
        elif (problem := _problem(name)) is not None:
            st.error(problem, icon=":material/error:")
        else:
            _look(name)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
    kept_images_section()
    kept_files_section()


def _problem(name: str) -> str | None:
    return own_problem(name) if catalog.own_path(name) is not None else None


def _nothing_named() -> None:
    with st.container(border=True):
        st.markdown("**Say where your images are, or drop a file.** Nothing is trained by looking.")
        st.caption(f"What is read: {LAYOUTS}")
        st.code(
            "photos/\n  train/\n    heron/  001.jpg  002.jpg  …\n    stork/  001.jpg  …\n"
            "  test/\n    heron/  …\n    stork/  …",
            language=None,
        )
        st.caption(
            "PNG, JPEG, WebP, BMP, GIF, TIFF and PPM. Without test/ a fifth of the images is kept for testing, without "
            "val/ a tenth for validation, the same ones every time."
        )


def _look(name: str) -> None:
    found = find_inspection(name)
    if found is None and may_download(name):
        with st.container(border=True):
            st.markdown(
                f"**{title_of(name)} has not been looked into here yet.** It is downloaded once, if it is not here."
            )
            if st.button("Look into it", type="primary", icon=":material/search:", key="look"):
                inspect(name)
                draw_again()
        return
    found = found or inspect(name)
    if found.images is None:
        reading_state(name, found)
    else:
        images_found(name, found.run, found.images)
