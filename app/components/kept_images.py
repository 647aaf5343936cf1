"""The room that decoded images take on this machine, and the button that gives it back."""

from __future__ import annotations

import time

import streamlit as st

from app.backend.image_cache import CachedImages, free_images, kept_images, needed_now
from app.form.images import size_words
from app.words.markdown import plain
from app.words.sizes import room
from bird_backend.catalog import title_of

__all__ = ["kept_images_section"]


def kept_images_section() -> None:
    """Draw it; nothing is drawn where nothing is kept."""
    if said := st.session_state.pop("_freed", None):
        st.toast(said, icon=":material/check:")
    there = kept_images()
    if not there:
        return
    needed = needed_now()
    with st.expander(f"Decoded images take {room(sum(entry.bytes for entry in there))} on this machine"):
        st.caption(
            "Images are decoded once and kept, so that every run after the first begins at once. What is freed is "
            "decoded again when it is needed; your own files are never touched."
        )
        for entry in there:
            _row(entry, needed.get(entry.name))
        free = [entry for entry in there if entry.name not in needed]
        if len(free) > 1:
            _confirmed(f"Free all {len(free)}", free, key="free_all")


def _row(entry: CachedImages, user: object) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    day = time.strftime("%d %B %Y", time.localtime(entry.created)).lstrip("0")
    left.markdown(
        f"**{plain(title_of(entry.name))}** · {size_words(entry.image_size)} · {entry.images:,} images · "
        f"{room(entry.bytes)} · decoded {day}"
    )
    with right:
        if user is None:
            _confirmed("Free", [entry], key=f"free_{entry.key}")
        else:
            st.button(
                "In use",
                key=f"free_{entry.key}",
                disabled=True,
                help="A run works on these images or waits to.",
                width="stretch",
            )


def _confirmed(label: str, entries: list[CachedImages], *, key: str) -> None:
    """A button that asks before anything is gone."""
    with st.popover(label, icon=":material/delete_sweep:", width="stretch"):
        st.markdown(
            f"Free **{room(sum(entry.bytes for entry in entries))}**? The next run on "
            f"{'these images' if len(entries) == 1 else 'any of them'} decodes them first, which can take minutes."
        )
        st.button(
            "Yes, free it", key=f"{key}_yes", type="primary", on_click=_free, args=([entry.key for entry in entries],)
        )


def _free(keys: list[str]) -> None:
    st.session_state["_freed"] = f"{room(free_images(keys))} freed."
