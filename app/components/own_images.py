"""What is in the images that a person names: read by a light run as soon as they are there, and said in words."""

from __future__ import annotations

import streamlit as st

from app.backend import data
from app.backend.own_images import Images, Inspection, inspect

__all__ = ["own_images"]

_MOST_NAMED = 12


def own_images(name: str) -> Inspection:
    """Draw what is known of `folder:PATH` or `zip:PATH`."""
    found = inspect(name)
    if found.images is not None:
        st.caption(_words(found.images))
        for remark in found.images.remarks:
            st.caption(f":orange[:material/info:] {remark}")
    elif data.is_active(found.run):
        st.fragment(_reading, run_every=1)(found.run.id)
    elif st.button("Read the images again", icon=":material/refresh:", key="read_again"):
        inspect(name, retry=True)
        st.rerun()
    return found


def _reading(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        st.rerun()
        return
    progress = data.progress(run) or {}
    words = "waiting for a worker" if run.state == "queued" else progress.get("phase") or "starting"
    st.progress(float(progress.get("fraction") or 0.0), text=f"Reading your images · {words}")


def _words(images: Images) -> str:
    named = ", ".join(images.classes[:_MOST_NAMED])
    more = f" and {len(images.classes) - _MOST_NAMED} more" if len(images.classes) > _MOST_NAMED else ""
    counts = f"{images.train:,} for training, {images.validation:,} for validation, {images.test:,} for testing"
    return f"{len(images.classes)} classes: {named}{more}. {counts}."
