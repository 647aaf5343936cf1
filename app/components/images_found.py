"""What was found in a data set: classes and splits, sizes, what was done to images or left out, and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.own_images import Images
from app.backend.own_images import contact_sheet as find_sheet
from app.charts.class_counts import SPLITS, class_bars, class_table
from app.components.contact_sheet import contact_sheet
from app.components.data_choice import LAUNCH_KEYS, parameters
from app.components.live_chart import chart
from app.form.images import size_words
from app.words.markdown import plain

__all__ = ["images_found"]

_MEANING: Mapping[str, str] = {
    "train": "what a network learns from",
    "validation": "what every curve, snapshot and choice is made on",
    "test": "what is used once, at the end of a run",
}
_MOST_EXAMPLES = 5
_METRIC = 158
"""Pixels: two stand beside each other on a telephone."""


def images_found(name: str, run: data.Run, images: Images) -> None:
    """Draw all of it, and the way on from here."""
    _figures(images)
    chosen = parameters(name, LAUNCH_KEYS)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        link("launch", "Transfer something onto these", icon=":material/rocket_launch:", **chosen)
        link("gallery", "See them corrupted", icon=":material/photo_library:", data=name)
    st.header("A few of each class", anchor=False)
    sheet = find_sheet(run)
    if sheet is None:
        st.caption("This run kept no pictures.")
    else:
        st.caption("Training images, as networks get them: brought to one size, never test images.")
        contact_sheet(run, sheet, images.counts["train"])
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        st.header("Classes and splits", anchor=False)
        chart(
            class_bars(images.classes, images.counts),
            of=run.id,
            key="class_bars",
            label=_bars_in_words(images),
            numbers=class_table(images.classes, images.counts),
        )
        st.header("Where each split comes from", anchor=False)
        for split, words in _origins(images).items():
            st.markdown(f"- **{SPLITS[split]}**, {_MEANING[split]}: {words}.")
    with right:
        st.header("Sizes", anchor=False)
        _sizes(images)
        st.header("What was done to them", anchor=False)
        _done(images)


def _figures(images: Images) -> None:
    left_out = 0 if images.reading is None else sum(each["count"] for each in images.reading["skipped"])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Images", f"{images.train + images.validation + images.test:,}", width=_METRIC)
        st.metric("Classes", f"{len(images.classes):,}", width=_METRIC)
        st.metric("Image size", size_words(images.image_size), width=_METRIC, help="Where nobody says another.")
        st.metric(
            "Left out", f"{left_out:,}", width=_METRIC, help="Files that are not among the images; why, see below."
        )


def _bars_in_words(images: Images) -> str:
    sums = [sum(of_class) for of_class in zip(*images.counts.values(), strict=True)]
    most, least = (images.classes[sums.index(count)] for count in (max(sums), min(sums)))
    return (
        f"{len(images.classes)} classes; {most} has the most images, {max(sums):,}, and {least} the fewest, "
        f"{min(sums):,}"
    )


def _origins(images: Images) -> dict[str, str]:
    found = (images.reading or {}).get("origins", {})
    counts = {"train": images.train, "validation": images.validation, "test": images.test}
    words = {}
    for split, count in counts.items():
        where = "what is left of the training images" if split == "train" and _cut(found) else None
        words[split] = f"{count:,} images, {found.get(split) or where or 'as the data set has them'}"
    return words


def _cut(origins: Mapping[str, str]) -> bool:
    return any("%" in words for words in origins.values())


def _sizes(images: Images) -> None:
    reading, side = images.reading, size_words(images.image_size)
    if reading is None:
        st.markdown(f"All come as {side} pixels.")
        return
    if reading["distinct_sizes"] == 1:
        st.markdown(f"All files are {_by(reading['smallest'])} pixels.")
        return
    shown = reading["sizes"]
    rest = reading["distinct_sizes"] - len(shown)
    st.markdown(
        f"{reading['distinct_sizes']:,} sizes, from {_by(reading['smallest'])} to {_by(reading['largest'])} pixels"
        f"{', the most frequent ones:' if rest > 0 else ':'}"
    )
    st.dataframe(
        pd.DataFrame(
            {"Width × height": _by((width, height)), "Images": count, "Share": 100 * count / max(1, reading["images"])}
            for width, height, count in shown
        ),
        hide_index=True,
        height="content",
        column_config={"Share": st.column_config.NumberColumn(format="%.0f %%")},
        alt="Sizes of the image files and how many have each",
    )


def _done(images: Images) -> None:
    said = list(_changes(images.reading, size_words(images.image_size)))
    if not said:
        st.markdown("Nothing: every file was an image that could be used as it is.")
    for sentence in said:
        st.markdown(f"- {sentence}")
    for each in (images.reading or {}).get("skipped", ()):
        examples = each["examples"][:_MOST_EXAMPLES]
        with st.expander(f"{each['count']:,} left out: {plain(each['reason'])}"):
            if not examples:
                st.caption("Their names were not kept.")
            for example in examples:
                st.markdown(f"- {plain(example)}")
            if 0 < len(examples) < each["count"]:
                st.caption(f"and {each['count'] - len(examples):,} more")


def _changes(reading: Mapping[str, Any] | None, side: str) -> Iterator[str]:
    if reading is None:
        return
    of = f"of {reading['images']:,}"
    if count := reading["squashed"]:
        yield f"**{count:,}** {of} are not square and were squashed to {side}, which changes their proportions."
    if count := reading["enlarged"]:
        yield f"**{count:,}** {of} are smaller than {side} and were enlarged, which adds no detail."
    if count := reading["transparent"]:
        yield f"**{count:,}** {of} are transparent in places and were put on white."


def _by(size: Any) -> str:
    return " × ".join(f"{side:,}" for side in size)
