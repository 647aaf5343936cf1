"""Intervals over teachers: all pairs of a teacher are drawn together, for they share its weights.

A thousand draws of as many teachers as there are, with replacement; intervals are percentiles (Efron 1979; for
clusters, Field & Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bird_backend.measures import Interval

__all__ = ["RESAMPLES", "Moments", "draws", "interval", "sums"]

RESAMPLES = 1000


def draws(groups: int, *, seed: int = 0) -> np.ndarray:
    """How often each of `groups` is in each resample: [1 + RESAMPLES, groups], the first row being all of them once."""
    generator = np.random.default_rng(seed)
    taken = generator.integers(groups, size=(RESAMPLES, groups))
    counts = np.stack([np.bincount(row, minlength=groups) for row in taken])
    return np.concatenate([np.ones((1, groups)), counts])


def interval(values: np.ndarray, groups: int) -> Interval:
    """Of a statistic of every row of `draws` [1 + RESAMPLES]: the first is its value."""
    with np.errstate(invalid="ignore"):
        finite = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(finite, (0.025, 0.975)) if len(finite) else (-np.inf, np.inf)
    value = float(values[0])
    return Interval(value=value, low=float(low), high=float(high), n=groups, kind="bootstrap, over teachers")


def sums(values: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """Of one number a row [n], its sum over each group's rows [groups]."""
    return np.bincount(codes, weights=values, minlength=groups)


class Moments:
    """Second moments of rows by group, from which least squares on any columns and any resample is solved at once."""

    def __init__(self, X: np.ndarray, y: np.ndarray, codes: np.ndarray) -> None:
        centred = np.column_stack([X, y])
        scale = centred.std(axis=0)
        rows = (centred - centred.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
        rows = np.column_stack([np.ones(len(y)), rows])  # 1, X, y
        self._by_group = np.stack([rows[codes == code].T @ rows[codes == code] for code in range(codes.max() + 1)])

    def r_squared(self, columns: Sequence[int], weights: np.ndarray, *, penalty: float = 0.0) -> np.ndarray:
        """In-sample R² of y on those columns and a constant, fitted anew for every row of `weights` [r, groups]: [r].

        `penalty` is that of `ridge`, in units of rows of standardised columns.
        """
        moments = np.tensordot(weights, self._by_group, axes=1)  # (r, 2 + p, 2 + p)
        used = [0, *(1 + column for column in columns)]
        inner, cross, square = moments[:, used][:, :, used], moments[:, used, -1], moments[:, -1, -1]
        rows = moments[:, 0, 0]
        solved = inner.copy()
        diagonal = np.arange(1, len(used))
        solved[:, diagonal, diagonal] += penalty * rows[:, None]
        slopes = (np.linalg.pinv(solved, hermitian=True, rcond=1e-10) @ cross[..., None])[..., 0]  # (r, 1 + p)
        left = square - 2 * (slopes * cross).sum(-1) + np.einsum("ri,rij,rj->r", slopes, inner, slopes)
        total = square - moments[:, 0, -1] ** 2 / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 1e-9 * rows, 1 - left / total, np.nan)
