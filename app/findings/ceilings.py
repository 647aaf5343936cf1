"""What a transfer is held against where its own run has it not: fine-tuning of the same student, and the Oracle.

PGR = (after − floor) / (ceiling − floor), floor the student before, ceiling the Oracle; on the same test images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from app.backend import data
from bird_backend import measures
from bird_backend.measures import Group, Interval, Predictions
from bird_backend.measures.figures import gap_recovered_in

__all__ = ["GROUPS", "Held", "gap", "gap_recovered", "held_against"]

GROUPS: tuple[Group, ...] = ("robust", "seen", "held_out", "pooled")


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """A run's predictions beside those of its companions: the same seed, images, budget and behaviour."""

    predictions: Predictions
    """The run's own, with fine-tuning's of another run where it has none."""
    fine_tuning: data.Run | None
    """The run that fine-tuning is of, where it is another."""
    oracle: data.Run | None
    """The run of the Oracle, be it done or not."""
    with_ceiling: Predictions | None
    """With what the Oracle said, as `ceiling`; none until it is done."""


def held_against(run: data.Run, predictions: Predictions) -> Held:
    """Companions that can't be read, or turn out to be measured on other images, are left out."""
    found = data.companions(run)
    both = _beside(predictions, found.fine_tuning, "fine-tuning", "fine-tuning")
    return Held(
        predictions=both or predictions,
        fine_tuning=found.fine_tuning if both is not None else None,
        oracle=found.oracle,
        with_ceiling=_beside(both or predictions, found.oracle, "oracle", "ceiling"),
    )


def gap(predictions: Predictions, group: Group) -> Interval | None:
    """Ceiling − floor: what there is to recover."""
    ceiling, floor = (measures.group_share(predictions, model, group) for model in ("ceiling", "before"))
    return None if ceiling is None or floor is None else measures.over_images(ceiling - floor)


@lru_cache(maxsize=64)
def gap_recovered(predictions: Predictions, model: str, group: Group) -> Interval | None:
    """The share of that gap which `model` recovers; none where it was not measured, or the gap is within noise."""
    return gap_recovered_in(predictions, model, group)


def _beside(predictions: Predictions, other: data.Run | None, model: str, name: str) -> Predictions | None:
    if other is None or other.state != "done":
        return None
    try:
        measured = data.predictions(other)
    except data.BirdError:
        return None  # its own page says why
    return None if measured is None else _with(predictions, measured, model, name)


@lru_cache(maxsize=16)
def _with(predictions: Predictions, other: Predictions, model: str, name: str) -> Predictions | None:
    """The predictions with another run's model among them; none unless it was measured on all the same."""
    alike = (
        model in other.models
        and other.behaviour == predictions.behaviour
        and other.cells == predictions.cells
        and np.array_equal(other.images, predictions.images)
        and np.array_equal(other.labels, predictions.labels)
    )
    if not alike:
        return None
    return replace(
        predictions,
        predicted={**predictions.predicted, name: other.predicted[model]},
        confidence={**predictions.confidence, name: other.confidence[model]},
    )
