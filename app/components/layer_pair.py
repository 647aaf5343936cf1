"""One pair of layers looked at: the two Gram matrices with their difference, and an image's nearest in both."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app.backend.layer_lab import LayerGeometry
from app.charts.geometry import atlas, gram_range, pack_gram
from app.components.live_chart import mount, palettes

__all__ = ["layer_pair"]


def layer_pair(pair: tuple[str, str], before: LayerGeometry, after: LayerGeometry | None, *, of: str) -> None:
    """Draw it; `after` is that of the same images with the student as a transfer left it. `of` names the measurement.

    The image whose nearest are shown is in the address (`image`); without a word it is the one that the two networks
    agree least on.
    """
    guiding, guided = pair
    teacher = before.gram_of("teacher", guiding)
    students = {"Before": before} | ({"After": after} if after is not None else {})
    grams = {label: each.gram_of("student", guided) for label, each in students.items()}
    low, high = gram_range([teacher, *grams.values()])
    theirs = before.near("teacher", guiding)[before.gram]
    own = {label: each.near("student", guided)[before.gram] for label, each in students.items()}
    key = "layer_pair"

    def looked() -> None:
        image = st.session_state[key].get("image")
        if image is not None:
            st.query_params["image"] = str(int(image))

    mount(
        "bird_layer_pair",
        html='<section class="player" aria-label="The two layers side by side"></section>',
        scripts=("theme.js", "pictures.js", "layer_pair.js"),
        styles=("player.css", "layer_pair.css"),
        key=key,
        data={
            "identity": f"{of} {guiding} {guided}",
            "layers": [guiding, guided],
            "labels": before.labels.tolist(),
            "classes": [str(name) for name in before.classes],
            "places": before.gram.tolist(),
            "low": low,
            "high": high,
            "teacher": {"gram": pack_gram(teacher, low, high), "near": theirs.tolist()},
            "students": [
                {"label": label, "gram": pack_gram(grams[label], low, high), "near": own[label].tolist()}
                for label in students
            ],
            "image": _image(before, theirs, own["Before"]),
            "sheet": _sheet(before, of),
            **palettes(),
        },
        on_image_change=looked,
    )
    agreed = {label: _agreed(theirs, near) for label, near in own.items()}
    count, among = theirs.shape[1], len(before.images) - 1
    said = ", ".join(f"{share:.1f} {label.lower()}" for label, share in agreed.items())
    st.caption(
        f"Of an image's {count} nearest among {among} others, the two layers share {said} on average over "
        f"{len(theirs)} images; by chance it would be {count * count / among:.1f}. Nearest by the cosine of centred, "
        "mean-pooled features."
    )


def _image(geometry: LayerGeometry, theirs: np.ndarray, own: np.ndarray) -> int:
    asked = st.query_params.get("image", "")
    if asked.isdigit() and int(asked) in geometry.gram:
        return int(asked)
    shared = [len(set(one) & set(two)) for one, two in zip(theirs.tolist(), own.tolist(), strict=True)]
    return int(geometry.gram[int(np.argmin(shared))])


def _agreed(one: np.ndarray, two: np.ndarray) -> float:
    """How many neighbours [n, k] a row of one and of the other have in common, on average."""
    return float(np.mean([len(set(a) & set(b)) for a, b in zip(one.tolist(), two.tolist(), strict=True)]))


@st.cache_data(max_entries=4, show_spinner=False)
def _sheet(_geometry: LayerGeometry, of: str) -> dict[str, Any]:  # noqa: ARG001 - the run is the cache's key
    return dict(atlas(_geometry.images))
