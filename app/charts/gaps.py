"""Accuracies and their differences with intervals: image by image where a run kept that, else from counts alone.

The cells of a corruption table are all of the same images, and so are the models' tables. An image is therefore one
observation: its share of right answers, or the difference of two models' shares.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.intervals import Difference, Z, difference, mean_interval
from bird_backend.runs.reading import Correct

__all__ = ["Share", "gap", "share"]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A mean accuracy over cells, its 95 % interval, and how many images and cells it is of."""

    value: float
    low: float
    high: float
    n: int
    cells: int


def share(table: pd.DataFrame, correct: Correct | None, model: str, names: Collection[str]) -> Share | None:
    """Mean accuracy of `model` over the cells of the named corruptions; none where there are none."""
    rows = table[(table["model"] == model) & table["corruption"].isin(list(names))]
    if rows.empty:
        return None
    value, n = float((rows["correct"] / rows["n"]).mean()), int(rows["n"].min())
    low, high = mean_interval(value, n)
    if len(rows) > 1 and correct is not None and model in correct.models and n > 1:
        half = _half(correct.share(model, names))
        low, high = max(0.0, value - half), min(1.0, value + half)
    return Share(value=value, low=low, high=high, n=n, cells=len(rows))


def gap(
    table: pd.DataFrame,
    correct: Correct | None,
    names: Collection[str],
    *,
    of: str = "bird",
    over: str = "fine-tuning",
    severity: int | None = None,
) -> Difference | None:
    """How much higher `of` is than `over` on the named corruptions, at one severity or all; none if one is missing."""
    if severity is not None:
        table = table[table["severity"] == severity]
    after, before = share(table, None, of, names), share(table, None, over, names)
    if after is None or before is None:
        return None
    if correct is not None and {of, over} <= correct.models.keys() and after.n > 1:
        paired = correct.share(of, names, severity) - correct.share(over, names, severity)
        return Difference(value=after.value - before.value, half=_half(paired))
    return difference(after.value, before.value, min(after.n, before.n))


def _half(per_image: np.ndarray) -> float:
    return Z * float(per_image.std(ddof=1)) / float(np.sqrt(len(per_image)))
