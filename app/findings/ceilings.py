"""What a transfer could have reached: the Oracle, a network like the student trained on corrupted images directly.

PGR = (after − floor) / (ceiling − floor), floor the student before, ceiling the Oracle; on the same test images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from app.backend import data
from bird_backend import measures
from bird_backend.experiments import RobustifySpec, TransferSpec
from bird_backend.measures import Group, Interval, Predictions

__all__ = ["GROUPS", "gap", "gap_recovered", "oracles", "with_ceiling"]

GROUPS: tuple[Group, ...] = ("robust", "seen", "held_out", "pooled")
_MOST = 20


def oracles(run: data.Run) -> Mapping[str, data.Run]:
    """The finished runs that can be a transfer's ceiling, newest first: same architecture, data and test images."""
    spec = data.spec_of(run)
    if not isinstance(spec, TransferSpec):
        return {}
    found: dict[str, data.Run] = {}
    for other in data.list_runs(kind="robustify", limit=1000):
        if len(found) == _MOST:
            break
        try:
            if other.state == "done" and _alike(data.spec_of(other), spec) and _fits(run.id, other.id):
                found[other.id] = other
        except data.BirdError:
            continue  # a run that can't be read is no ceiling, and its own page says why
    return found


@lru_cache(maxsize=8)
def with_ceiling(predictions: Predictions, oracle: Predictions) -> Predictions | None:
    """The predictions with the Oracle's among them, as `ceiling`; none unless it was measured on all the same.

    An Oracle measured on more images or cells will do: what is the same is taken.
    """
    places = _places(predictions, oracle)
    if places is None:
        return None
    return replace(
        predictions,
        predicted={**predictions.predicted, "ceiling": oracle.predicted["model"][places]},
        confidence={**predictions.confidence, "ceiling": oracle.confidence["model"][places]},
    )


def gap(predictions: Predictions, group: Group) -> Interval | None:
    """Ceiling − floor: what there is to recover."""
    ceiling, floor = (measures.group_share(predictions, model, group) for model in ("ceiling", "before"))
    return None if ceiling is None or floor is None else measures.over_images(ceiling - floor)


@lru_cache(maxsize=64)
def gap_recovered(predictions: Predictions, model: str, group: Group) -> Interval | None:
    """The share of that gap which `model` recovers; none where it was not measured, or the gap is within noise."""
    after, floor, ceiling = (measures.group_share(predictions, name, group) for name in (model, "before", "ceiling"))
    if after is None or floor is None or ceiling is None:
        return None
    return measures.gap_recovered(after, floor, ceiling)


@lru_cache(maxsize=4096)
def _fits(run_id: str, oracle_id: str) -> bool:
    """Kept by name, for what is done stays: a rerun must not read what every Oracle said of every image again."""
    run, oracle = data.get_run(run_id), data.get_run(oracle_id)
    if run is None or oracle is None:
        return False
    predictions, measured = data.predictions(run), data.predictions(oracle)
    return predictions is not None and measured is not None and _places(predictions, measured) is not None


def _places(predictions: Predictions, oracle: Predictions) -> tuple[np.ndarray, ...] | None:
    """Where the Oracle's predictions hold the same cells and images, in the same order; none where some are missing."""
    if "model" not in oracle.models or not set(predictions.cells) <= set(oracle.cells):
        return None
    columns = np.searchsorted(oracle.images, predictions.images)
    inside = columns < len(oracle.images)
    columns = columns * inside
    if not inside.all() or not np.array_equal(oracle.images[columns], predictions.images):
        return None
    if not np.array_equal(oracle.labels[columns], predictions.labels):
        return None
    return np.ix_(np.array([oracle.cells.index(cell) for cell in predictions.cells]), columns)


def _alike(oracle: object, spec: TransferSpec) -> bool:
    return isinstance(oracle, RobustifySpec) and oracle.data == spec.data and oracle.model.model == spec.student.model
