"""What an expert may want to set and a newcomer need not see: similarity, optimiser, evaluation, records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address.url_state import keep_valid
from app.form.drafts import Draft
from bird_backend import catalog
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES

__all__ = ["expert_options"]

_KERNELS = {"linear": "Linear", "rbf": "RBF"}
_ESTIMATORS = {
    "biased": "Biased: the paper's",
    "debiased": "Debiased: honest in small batches",
}
_WEIGHTING = {"fixed": "Equal", "learned": "Learned along the way"}
_POOLING = {"mean": "Mean over places or tokens", "flatten": "Flatten: every place counts"}
_OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_PRECISIONS = {"auto": "auto", "float32": "float32", "bfloat16": "bfloat16"}


def expert_options(draft: Draft) -> Draft:
    """Draw them folded away; returns the draft with them put in."""
    with st.expander("Expert options", icon=":material/tune:"):
        if draft.method == "bird":
            draft = _similarity(draft)
        elif catalog.METHODS[draft.method].matches_layers:
            draft = _matching(draft)
        draft = _evaluation(_optimiser(draft))
        left, right = st.columns(2)
        title = left.text_input("Title of the run", key="title", max_chars=120, placeholder="made from the choices")
        save = right.text_input(
            "Save the student as",
            key="save",
            placeholder="not saved",
            help="A name for the student's weights; it then stands among the models.",
        )
        return replace(draft, title=title, save=save)


def _similarity(draft: Draft) -> Draft:
    left, middle, right = st.columns(3)
    kernel = _one_of(
        _KERNELS,
        left,
        "Kernel",
        key="kernel",
        help="How two images' activations are compared. RBF looks at near neighbours only.",
    )
    estimator = _one_of(
        _ESTIMATORS,
        middle,
        "Estimator of CKA",
        key="estimator",
        help="The biased one is too high when a batch is small against a layer's width.",
    )
    pooling = _pooling(right)
    weighting = draft.weighting
    if draft.more:
        weighting = _one_of(
            _WEIGHTING,
            middle,
            "Weights of the pairs",
            key="weighting",
            help="Learned: a softmax that is trained with the student.",
        )
    bandwidth = draft.bandwidth
    if kernel == "rbf":
        bandwidth = left.number_input(
            "Bandwidth",
            step=0.1,
            key="bandwidth",
            help="σ² as a fraction of the median squared distance.",
        )
    return replace(
        draft, kernel=kernel, estimator=estimator, pooling=pooling, bandwidth=float(bandwidth), weighting=weighting
    )


def _matching(draft: Draft) -> Draft:
    left, *others = st.columns(3)
    pooling = _pooling(left)
    parts: dict[str, Any] = {}
    if draft.method == "rkd":
        names = {"distance_weight": "Weight of distances", "angle_weight": "Weight of angles"}
        for column, (name, label) in zip(others, names.items(), strict=True):
            parts[name] = float(column.number_input(label, step=0.5, key=name))
    return replace(draft, pooling=pooling, **parts)


def _pooling(column: DeltaGenerator) -> str:
    return _one_of(
        _POOLING, column, "Pooling", key="pooling", help="How a map or a row of tokens becomes one vector per image."
    )


def _one_of(words: Mapping[str, str], column: DeltaGenerator, label: str, *, key: str, help: str | None = None) -> str:
    """A list of the names in `words`, shown as their words; a name the address made up is the first."""
    keep_valid(key, list(words), next(iter(words)))
    chosen = column.selectbox(label, list(words), format_func=words.__getitem__, key=key, help=help)
    return str(chosen)


def _optimiser(draft: Draft) -> Draft:
    first, second, third, fourth = st.columns(4)
    optimizer = _one_of(_OPTIMISERS, first, "Optimiser", key="optimizer")
    momentum = second.number_input("Momentum", step=0.05, key="momentum")
    decay = third.number_input("Weight decay", step=0.0001, format="%.5g", key="decay")
    precision = _one_of(
        _PRECISIONS, fourth, "Precision", key="precision", help="CKA itself is always computed in float32."
    )
    augment = st.toggle(
        "Shift and mirror the training images", key="augment", help="By up to four pixels, drawn anew at each step."
    )
    return replace(
        draft,
        optimizer=optimizer,
        momentum=float(momentum),
        decay=float(decay),
        precision=precision,
        augment=augment,
    )


def _evaluation(draft: Draft) -> Draft:
    _keep_known("corruptions", tuple(CORRUPTIONS))
    _keep_known("severities", SEVERITIES)
    corruptions = st.pills(
        "Corruptions to test on",
        list(CORRUPTIONS),
        selection_mode="multi",
        format_func=_corruption,
        key="corruptions",
        wrap=True,
        help="Ways of spoiling the test images. Robust accuracy is the mean over them and their severities. A robust "
        "teacher may train on any but the held-out ones.",
    )
    severities = st.pills("Severities", list(SEVERITIES), selection_mode="multi", key="severities")
    left, right = st.columns(2)
    limit = left.number_input("Test images at most", step=500, key="limit", help="0 tests on all of them.")
    points = right.number_input(
        "Snapshots of the geometry",
        step=1,
        key="points",
        help="Points of the run at which Gram matrices and embeddings are kept.",
    )
    return replace(
        draft,
        corruptions=tuple(name for name in CORRUPTIONS if name in corruptions),
        severities=tuple(sorted(severities)),
        limit=int(limit),
        points=int(points),
    )


def _corruption(name: str) -> str:
    facts = CORRUPTIONS[name]
    return facts.title if not facts.held_out else f"{facts.title}, held out"


def _keep_known(key: str, options: tuple[str, ...] | tuple[int, ...]) -> None:
    """Multi-choice widgets take lists; names the address made up are dropped."""
    st.session_state[key] = [value for value in st.session_state[key] if value in options]
