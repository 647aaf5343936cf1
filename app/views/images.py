"""What is in my images? A data set, one's own above all: classes, splits, sizes, pictures, what was left out."""

from __future__ import annotations

import streamlit as st

from app.address.kept import keep, recall
from app.backend import data
from app.backend.own_images import find_inspection, inspect, own_names
from app.components.address_list import address_list
from app.components.images_found import images_found
from app.components.kept_images import kept_images_section
from app.components.own_images import reading_state
from app.components.own_source import LAYOUTS, own_source
from app.components.page_head import page_head
from app.form.images import OWN, data_sets, own_name, own_problem
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.errors import is_plain

__all__ = ["render"]

_PATH = "_images_path"


def render() -> None:
    """Draw the page."""
    page_head(
        "images",
        "Before anything is trained on them: which classes there are, how many images each split has, what was "
        "squashed, enlarged or left out, and a few of each to look at.",
    )
    recall("images", ("data",))
    name = _choose()
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


def _choose() -> str | None:
    """The data set that the address names; none where it is to be one's own and nobody has said which."""
    asked = st.query_params.get("data", "")
    mine = catalog.own_path(asked) is not None and is_plain(asked)
    earlier = [name for name in own_names() if name != asked]
    words = {OWN: "Other images of mine" if mine else "My own images", **({asked: title_of(asked)} if mine else {})}
    words |= {name: title_of(name) for name in (*earlier, *data_sets())}
    chosen = asked if asked in words else OWN
    if asked not in words and asked:
        st.warning(f"There is no data set `{asked[:60].replace('`', '')}` here.")
    address_list(
        "data", words, chosen, label="Images of", key="_images_data", help="Your own, or a data set that has a name."
    )
    if chosen != OWN:
        return chosen
    said = own_source(_PATH)
    if not said:
        return None
    name = own_name(said)
    if _problem(name) is None:
        st.query_params["data"] = name
        st.rerun()
    return name


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
    if found is None and _is_far(name):
        with st.container(border=True):
            st.markdown(
                f"**{title_of(name)} has not been looked into here yet.** It is downloaded once, if it is not here."
            )
            if st.button("Look into it", type="primary", icon=":material/search:", key="look"):
                inspect(name)
                st.rerun()
        return
    found = found or inspect(name)
    if found.images is None:
        reading_state(name, found)
    else:
        images_found(name, found.run, found.images)


def _is_far(name: str) -> bool:
    """Whether looking may download."""
    return catalog.torchvision_set(name) is not None or (name in catalog.DATASETS and catalog.DATASETS[name].network)
