"""How far one number of each pair of layers goes with another: Spearman's rank correlation, with its interval.

Pairs that share a teacher's or a student's layer are no independent observations, so the interval draws rows and
columns of the table of layers anew rather than its cells (the pigeonhole bootstrap: McCullagh 2000; Owen 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bird_backend.measures.intervals import Interval

__all__ = ["LEAST_PAIRS", "rank_correlation"]

LEAST_PAIRS = 4
"""Of fewer no correlation is worth a word."""
_RESAMPLES = 2000


def rank_correlation(
    x: np.ndarray, y: np.ndarray, rows: Sequence[object], columns: Sequence[object], *, seed: int = 0
) -> Interval | None:
    """Of `x` and `y` [n], a cell of a table each, `rows` and `columns` [n] saying which; equal values share a rank.

    None for fewer than `LEAST_PAIRS` cells, or where either is the same everywhere. The interval has no ends where all
    cells are in one row or column, or where hardly a resample varies.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = len(x)
    if n < LEAST_PAIRS:
        return None
    value = float(_spearman(x, y, np.ones((1, n)))[0])
    if not np.isfinite(value):
        return None
    (row_of, row_count), (column_of, column_count) = _codes(rows), _codes(columns)
    low, high = -np.inf, np.inf
    if row_count > 1 and column_count > 1:
        generator = np.random.default_rng(seed)
        weights = _draws(row_count, generator)[:, row_of] * _draws(column_count, generator)[:, column_of]
        drawn = _spearman(x, y, weights)
        drawn = drawn[np.isfinite(drawn)]
        if len(drawn) >= _RESAMPLES // 2:
            low, high = (float(end) for end in np.quantile(drawn, (0.025, 0.975)))
    return Interval(value=value, low=low, high=high, n=n, kind="bootstrap, over layers")


def _spearman(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of cells that are in the sample `weights` [r, n] times: [r], not a number where nothing varies."""
    a, b = (_ranks(values, weights) for values in (x, y))  # (r, n)
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / total for ranks in (a, b))
        covariance, one, two = ((weights * first * second).sum(axis=1) for first, second in ((a, b), (a, a), (b, b)))
        return np.where((one > 1e-9) & (two > 1e-9), covariance / np.sqrt(one * two), np.nan)


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rank of each value in each sample, the mean of those that equal ones take: [r, n]."""
    below = (values[None, :] < values[:, None]) + 0.5 * (values[None, :] == values[:, None])  # (n, n)
    ranks: np.ndarray = weights @ below.T
    return ranks


def _codes(names: Sequence[object]) -> tuple[np.ndarray, int]:
    known = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names]), len(known)


def _draws(groups: int, generator: np.random.Generator) -> np.ndarray:
    taken = generator.integers(groups, size=(_RESAMPLES, groups))
    return np.stack([np.bincount(row, minlength=groups) for row in taken])
