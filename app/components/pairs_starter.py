"""The form of a study of pairs: teachers × students × layer pairs × seeds of one transfer, with a limit on its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.backend import data
from app.backend.studies import Layers, plan_pairs
from app.backend.weights import Weights, usable
from app.components.study_plan import study_plan
from bird_backend.specs import ModelRef

__all__ = ["PairSettings", "pair_settings", "pairs_starter"]

_LAYERS = {
    "own": "The form’s own pair",
    "depth": "Each guided layer, with the guiding one as deep",
    "all": "All pairs of layers",
}


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """What every study of pairs is asked besides its pairs."""

    seeds: int
    random_teachers: bool
    budget_seconds: float | None
    epochs: int | None


def pairs_starter(document: Mapping[str, Any], *, key: str) -> None:
    """Draw it for the transfer that `document` asks for; its button leaves for the study's page."""
    known = usable(data.weights_files())
    # One under the other: the form stands in a narrow column, and names are long.
    teachers = _networks("Teachers", "teacher", document, known, key=key)
    students = _networks("Students", "student", document, known, key=key)
    own = [(pair["teacher"], pair["student"]) for pair in document.get("method", {}).get("pairs", [])]
    options = [name for name in _LAYERS if own or name != "own"]
    chosen = str(st.selectbox("Layers", options, format_func=_LAYERS.__getitem__, key=f"{key}_pair_layers"))
    layers: Layers = own if chosen == "own" else "depth" if chosen == "depth" else "all"
    settings = pair_settings(key)
    study_plan(
        lambda: plan_pairs(
            document,
            teachers=teachers,
            students=students,
            layers=layers,
            seeds=settings.seeds,
            random_teachers=settings.random_teachers,
            budget_seconds=settings.budget_seconds,
        ),
        of=(document, teachers, students, layers, settings),
        key=f"{key}_pairs",
        label="Run these pairs",
    )


def pair_settings(key: str, *, epochs: int | None = None) -> PairSettings:
    """Draw seeds, controls and a limit on time; `epochs` are offered where the form has them nowhere else."""
    left, right, *more = st.columns(2 if epochs is None else 3)
    for column in more:
        epochs = column.number_input(
            "Epochs",
            min_value=1,
            max_value=1000,
            value=epochs,
            key=f"{key}_pair_epochs",
            help="All else is as in the demo; the launch page has every choice, and studies of pairs too.",
        )
    seeds = left.number_input(
        "Seeds",
        min_value=1,
        max_value=100,
        value=1,
        key=f"{key}_pair_seeds",
        help="Of every pair. With one there is no interval of a pair's gain; more can be added afterwards.",
    )
    minutes = right.number_input(
        "Minutes",
        min_value=1,
        max_value=100_000,
        value=None,
        placeholder="no limit",
        key=f"{key}_pair_minutes",
        help="For all of it. What was not begun by then is stopped; the study’s page offers more time.",
    )
    random = st.toggle(
        "Teachers of random weights beside them",
        key=f"{key}_pair_random",
        help="One for each architecture and layer pair. A teacher that gains no more than that gave its geometry only.",
    )
    return PairSettings(
        seeds=int(seeds),
        random_teachers=bool(random),
        budget_seconds=None if minutes is None else 60.0 * minutes,
        epochs=epochs,
    )


def _networks(
    label: str, role: str, document: Mapping[str, Any], known: Mapping[str, Weights], *, key: str
) -> tuple[ModelRef, ...]:
    """Draw a choice of weights, the transfer's own network first; none chosen is the transfer's own."""
    own = ModelRef.model_validate(document[role])
    fitting = [
        value
        for value, weights in known.items()
        if weights.provenance is not None
        and (weights.provenance.data == document["data"] if role == "student" else weights.provenance.role == role)
    ]
    options = dict.fromkeys(["", *fitting])
    chosen = st.multiselect(
        label,
        [value for value in options if value != own.weights],
        default=[""],
        format_func=lambda value: known[value].label if value else own.title,
        key=f"{key}_pair_{role}s",
        help="Weights that were made to teach." if role == "teacher" else "Weights that were trained on the same data.",
    )
    return tuple(own if not value else ModelRef(model=known[value].network, weights=value) for value in chosen)
