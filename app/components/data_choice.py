"""Which images, and at what size: a data set by name or one's own, what is known of them, and what a size costs."""

from __future__ import annotations

import streamlit as st

from app.address.routes import link
from app.address.url_state import keep_valid
from app.backend.own_images import Images, image_size_of
from app.components.own_images import own_images
from app.components.own_source import own_source
from app.form.images import AUTO, OWN, SIZES, data_sets, own_name, own_problem, size_text, size_words
from app.words.markdown import plain
from bird_backend import catalog
from bird_backend.catalog import title_of

__all__ = ["Keys", "data_choice"]

Keys = tuple[str, str, str]
"""What a form calls its choice of data set, of one's own images and of their size, in its address too."""
_COMPARED = 32


def data_choice(keys: Keys, *, fallback: str, help: str) -> tuple[str, str, str]:
    """Draw the choices; returns data set, one's own images and size, as the address has them."""
    data_key, path_key, size_key = keys
    options = [*data_sets(), OWN]
    asked = keep_valid(data_key, options, fallback)
    left, right = st.columns([1.7, 1])
    chosen: str = left.selectbox(
        "Data set",
        options,
        format_func=lambda name: "My own images" if name == OWN else title_of(name),
        key=data_key,
        help=help,
    )
    if asked:
        st.caption(f":orange[There is no data set {plain(asked)} here, so this one stands in.]")
    place = right.empty()
    path = own_source(path_key) if chosen == OWN else ""
    name = own_name(path) if chosen == OWN else chosen
    found = None
    if chosen != OWN:
        st.caption(_caption(chosen))
    elif own_problem(name) is None:
        found = own_images(name).images
    with place:
        size = _size(size_key, name, found)
    if (said := _reason(name, size, found)) is not None:
        st.caption(said)
    if chosen != OWN or own_problem(name) is None:
        link("images", "Look at these images", icon=":material/photo_album:", data=name)
    return chosen, path, size


def _size(key: str, name: str, found: Images | None) -> str:
    own = image_size_of(name) if found is None else found.image_size
    automatic = "Automatic" if own is None else f"Automatic: {size_words(own)}"
    now = size_text(st.session_state.get(key, AUTO) or AUTO)
    st.session_state[key] = now
    options = list(SIZES) if now in SIZES else [*SIZES, now]
    said = st.selectbox(
        "Image size",
        options,
        format_func=lambda size: automatic if size == AUTO else size_words(size) if size.isdigit() else size,
        key=key,
        accept_new_options=True,
        help="The side in pixels that every image is brought to, for teacher and student alike. Any multiple of 8 from "
        "16 to 512 can be typed. What an image shows may need a larger one; time and memory grow with its square.",
    )
    return size_text(said or AUTO)


def _reason(name: str, size: str, found: Images | None) -> str | None:
    """Why the size is what it is where that is left to the images, else what the chosen one costs."""
    own = image_size_of(name) if found is None else found.image_size
    if size == AUTO:
        return None if found is None else _why(found)
    if not size.isdigit():
        return None
    side = int(size)
    usual = own or _COMPARED
    if side == usual:
        return f"{size_words(side)} is what automatic would take too." if own else None
    times = (side / usual) ** 2
    if times > 1:
        return (
            f"{size_words(side)} has {_times(times)} the pixels of {size_words(usual)}: a step takes about so "
            "many times as long and as much memory. The estimate counts it."
        )
    return (
        f"{size_words(side)} has 1/{_number(1 / times)} of the pixels of {size_words(usual)}: faster, and less to see."
    )


def _why(images: Images) -> str | None:
    """Why one's own images get the size that they get."""
    reading, side = images.reading, size_words(images.image_size)
    if reading is None:
        return f"Automatic is {side}."
    smallest, largest = ((" × ".join(map(str, reading[which] or ()))) for which in ("smallest", "largest"))
    if reading["distinct_sizes"] != 1:
        return (
            f"Your images have {reading['distinct_sizes']:,} sizes, from {smallest} to {largest}: {side} shows most of "
            "what is in them and trains on a laptop. Choose more where details matter."
        )
    if smallest == side:
        return f"Your images are all {side}, so they stay as they are."
    return f"Your images are all {smallest}, so automatic brings them to {side}. Choose more where details matter."


def _times(times: float) -> str:
    return f"{_number(times)} times"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _caption(name: str) -> str:
    if (known := catalog.torchvision_set(name)) is not None:
        return f"{known.title}, as torchvision fetches and checks it. Downloaded once, when first used."
    facts = catalog.DATASETS[name]
    counts = f"{facts.train:,} for training, {facts.validation:,} for validation, {facts.test:,} for testing"
    download = " Downloaded once, when first used." if facts.network else ""
    return f"{facts.caption} {counts}.{download}"
