"""Calibration: how far a network's confidence is from how often it is right (Guo 2017)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bird_backend.measures.intervals import Interval, bootstrap
from bird_backend.measures.predictions import Predictions
from bird_backend.measures.robustness import Group, group_names

__all__ = ["BINS", "calibration_error", "reliability"]

BINS = 15
"""Of equal width, as in Guo 2017."""


def calibration_error(predictions: Predictions, model: str, group: Group) -> Interval | None:
    """ECE: Σ over bins of confidence of |right − confident| × the bin's share of all predictions of a group's cells.

    Its estimate from few predictions is too high. None for a model or a group that was not measured.
    """
    tables = _binned(predictions, model, group)
    if tables is None:
        return None
    gaps = (tables[0] - tables[1]) / max(float(tables[2].sum(axis=1).mean()), 1.0)
    found = bootstrap(lambda means: np.abs(means).sum(axis=1), gaps, recentre=True)
    return replace(found, low=max(0.0, found.low))


def reliability(predictions: Predictions, model: str, group: Group) -> np.ndarray | None:
    """Per bin [15, 3]: mean confidence, share right, and the bin's share of all predictions; NaN in empty bins."""
    found = _binned(predictions, model, group)
    if found is None:
        return None
    right, confident, count = (table.sum(axis=0) for table in found)
    nothing = np.full(BINS, np.nan)
    return np.stack(
        [
            np.divide(confident, count, out=nothing.copy(), where=count > 0),
            np.divide(right, count, out=nothing.copy(), where=count > 0),
            count / count.sum(),
        ],
        axis=1,
    )


def _binned(predictions: Predictions, model: str, group: Group) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Per image and bin [n, 15]: right answers, summed confidence and predictions over the group's cells."""
    rows = predictions.rows(group_names(predictions, group))
    if group == "pooled" or model not in predictions.confidence or not rows:
        return None
    n = predictions.n
    tables = tuple(np.zeros((n, BINS)) for _ in range(3))
    image = np.arange(n)
    for row in rows:
        confidence = predictions.confidence[model][row].astype(np.float64)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        right = predictions.predicted[model][row] == predictions.labels
        for table, values in zip(tables, (right, confidence, np.ones(n)), strict=True):
            table[image, bins] += values
    return tables[0], tables[1], tables[2]
