"""How much of an outcome's variance any model could explain, from how far the seeds of one pair lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bird_backend.measures import Interval
from bird_backend.prediction.columns import PAIR
from bird_backend.prediction.resampling import draws, interval, sums

__all__ = ["Ceiling", "noise_ceiling"]


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """`share` of the variance between pairs that is not noise; `noise`, the standard deviation of one run of a pair."""

    share: Interval
    noise: float


def noise_ceiling(runs: pd.DataFrame, outcome: str) -> Ceiling | None:
    """1 − σ² mean(1/nᵢ) / var(ȳᵢ): nᵢ seeds of pair i, ȳᵢ their mean, σ² the variance of one run about its pair.

    What a seed does to all pairs of a student alike (they share the draw of the student and its baseline) is no noise
    between pairs and is taken out. `runs` has a row a pair and seed. None where no pair has two seeds to compare.
    """
    teacher, teachers = _codes(runs["teacher"])
    pair, pairs = _codes(runs[list(PAIR)].astype(str).agg("\0".join, axis=1))
    y = runs[outcome].to_numpy(float)
    squares, freedom = np.zeros(len(y)), np.zeros(len(y))
    for rows in runs.reset_index(drop=True).groupby("student").indices.values():
        design = np.column_stack([_dummies(pair[rows]), _dummies(_codes(runs["seed"].iloc[rows])[0])])
        onto = design @ np.linalg.pinv(design)
        squares[rows] = (y[rows] - onto @ y[rows]) ** 2
        freedom[rows] = 1 - np.diag(onto)
    if freedom.sum() < 0.5:
        return None
    weights = draws(teachers)
    first = np.unique(pair, return_index=True)[1]
    seeds = np.bincount(pair)
    means = np.bincount(pair, weights=y - y.mean()) / seeds
    of = teacher[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = (weights @ sums(squares, teacher, teachers)) / (weights @ sums(freedom, teacher, teachers))
        count = weights @ sums(np.ones(pairs), of, teachers)
        middle = (weights @ sums(means, of, teachers)) / count
        spread = ((weights @ sums(means**2, of, teachers)) / count - middle**2) * count / (count - 1)
        share = 1 - noise * (weights @ sums(1 / seeds, of, teachers)) / count / spread
    return Ceiling(share=interval(share, teachers), noise=float(np.sqrt(noise[0])))


def _codes(names: pd.Series) -> tuple[np.ndarray, int]:
    codes, known = pd.factorize(names, sort=True)
    return np.asarray(codes), len(known)


def _dummies(codes: np.ndarray) -> np.ndarray:
    return np.asarray(codes[:, None] == np.unique(codes), dtype=float)
