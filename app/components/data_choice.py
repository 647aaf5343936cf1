"""Which images, of which classes and at what size: a data set by name or one's own, and what a size costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app.address.routes import link
from app.address.url_state import address, keep_valid, put
from app.backend.own_images import Images, find_inspection, image_size_of
from app.components.own_images import own_images
from app.components.own_source import own_source
from app.form.images import (
    AUTO,
    OWN,
    SIZES,
    class_items,
    data_sets,
    narrowed_name,
    own_name,
    own_problem,
    parted,
    size_text,
    size_words,
)
from app.words.markdown import plain
from bird_backend import catalog
from bird_backend.catalog import title_of

__all__ = ["LAUNCH_KEYS", "TRAINING_KEYS", "Keys", "data_choice", "parameters"]


class Keys(NamedTuple):
    """What a form calls its choice of data set, of one's own images, of their size and classes, in its address too."""

    data: str
    path: str
    size: str
    classes: str


LAUNCH_KEYS = Keys(data="data", path="path", size="size", classes="classes")
TRAINING_KEYS = Keys(data="on", path="folder", size="pixels", classes="among")
_COMPARED = 32


def data_choice(keys: Keys, *, fallback: str, help: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Draw the choices; returns data set, one's own images, size and classes, as the address has them."""
    options = [*data_sets(), OWN]
    asked = keep_valid(keys.data, options, fallback)
    left, right = st.columns([1.7, 1])
    chosen: str = left.selectbox(
        "Data set",
        options,
        format_func=lambda name: "My own images" if name == OWN else title_of(name),
        key=keys.data,
        help=help,
        on_change=put,
        args=({keys.classes: []},),
    )
    if asked:
        st.caption(f":orange[There is no data set {plain(asked)} here, so this one stands in.]")
    place = right.empty()
    path = own_source(keys.path) if chosen == OWN else ""
    name = own_name(path) if chosen == OWN else chosen
    found = None
    if chosen == OWN and own_problem(name) is None:
        found = own_images(catalog.apart(name)[0]).images
    classes = _classes(keys.classes, name, found)
    name = narrowed_name(name, classes)
    if chosen != OWN:
        st.caption(_caption(name, chosen))
    with place:
        size = _size(keys.size, name, found)
    if (said := _reason(name, size, found)) is not None:
        st.caption(said)
    if chosen != OWN or own_problem(name) is None:
        link("images", "Look at these images", icon=":material/photo_album:", data=name)
    return chosen, path, size, classes


def parameters(name: str, keys: Keys) -> dict[str, str]:
    """The parameters of an address at which a form with these keys has that data set chosen."""
    data, path, classes = parted(name)
    return address(
        {keys.data: data, keys.path: path, keys.classes: classes}, {keys.data: "", keys.path: "", keys.classes: ()}
    )


def _classes(key: str, name: str, found: Images | None) -> tuple[str, ...]:
    """Those chosen, each by its place, or as it was typed where nobody knows the classes; none: all of them."""
    known = _known_classes(name, found)
    options = [str(place) for place in range(len(known))]
    now = class_items(st.session_state.get(key) or (), known)
    if catalog.apart(name)[1] is not None:
        st.session_state[key] = []
        return ()  # the path names its classes itself
    st.session_state[key] = list(now)
    chosen = st.multiselect(
        "Classes",
        [*options, *(each for each in now if each not in options)],
        format_func=lambda each: known[int(each)] if each in options else f"class {each}" if each.isdigit() else each,
        key=key,
        placeholder="All of them",
        accept_new_options=not known,
        help="Some of the classes make a data set of their own, so that a teacher of some and a student of the others "
        "have related tasks."
        + ("" if known else " Type a class's name, its number in the data set's order, or a range such as 0-4."),
    )
    return tuple(chosen)


def _known_classes(name: str, found: Images | None) -> Sequence[str]:
    if found is not None:
        return found.classes
    facts = catalog.known_dataset(name)
    if facts is not None and facts.classes:
        return facts.classes
    seen = None if catalog.own_path(name) is not None or name.endswith(":") else find_inspection(name)
    return () if seen is None or seen.images is None else seen.images.classes


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


def _caption(name: str, whole: str) -> str:
    if (known := catalog.torchvision_set(name)) is not None:
        return f"{known.title}, as torchvision fetches and checks it. Downloaded once, when first used."
    facts = catalog.known_dataset(name) or catalog.DATASETS[whole]
    counts = f"{facts.train:,} for training, {facts.validation:,} for validation, {facts.test:,} for testing"
    download = " Downloaded once, when first used." if facts.network else ""
    return f"{facts.caption if facts.name == whole else f'{facts.title}.'} {counts}.{download}"
