"""What a difference is worth: whether what it is over has collapsed, and which of many tested at once stand out.

Benjamini & Hochberg, "Controlling the False Discovery Rate", 1995: cells of one table share their images, so that their
tests depend on one another positively, under which the procedure holds (Benjamini & Yekutieli 2001).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np

from bird_backend.measures.intervals import Interval
from bird_backend.measures.predictions import Predictions
from bird_backend.measures.robustness import by_group

__all__ = ["FALSE_DISCOVERIES", "FEW_IMAGES", "at_chance", "chance", "has_collapsed", "standing_out", "two_sided"]

FALSE_DISCOVERIES = 0.05
"""At most this share of what is marked among many, on average, is there by luck."""
FEW_IMAGES = 100
"""With fewer an interval over images is rough itself: it rests on the normal distribution."""
_NEAR = 0.1

Key = TypeVar("Key", bound=Hashable)


def chance(predictions: Predictions) -> float:
    """How often one is right who always names the commonest class."""
    return float(np.unique(predictions.labels, return_counts=True)[1].max()) / predictions.n


def at_chance(clean: Interval, by_chance: float) -> bool:
    """Whether a network has collapsed: on clean images it is no better than chance beyond noise, or hardly.

    Hardly: less than a tenth of the way from chance to always being right.
    """
    return clean.low <= by_chance or clean.value < by_chance + _NEAR * (1 - by_chance)


def has_collapsed(predictions: Predictions, model: str) -> bool:
    """The same of a network by its predictions; not of one that was not measured on clean images."""
    clean = by_group(predictions, model, "clean")
    return clean is not None and at_chance(clean, chance(predictions))


def two_sided(values: np.ndarray) -> float:
    """The p-value of a mean over images [n] not being zero, by the normal distribution as `over_images` has it."""
    n, mean = len(values), float(values.mean())
    if n < 2 or mean == 0:
        return 1.0
    error = float(values.std(ddof=1)) / math.sqrt(n)
    return math.erfc(abs(mean) / error / math.sqrt(2)) if error > 0 else 0.0


def standing_out(p_values: Mapping[Key, float], *, rate: float = FALSE_DISCOVERIES) -> frozenset[Key]:
    """Which of the differences tested at once are one, with false discoveries held at `rate`."""
    ranked = sorted(p_values, key=p_values.__getitem__)
    limits = [rate * rank / len(ranked) for rank in range(1, len(ranked) + 1)]
    last = max((place for place, key in enumerate(ranked) if p_values[key] <= limits[place]), default=-1)
    return frozenset(ranked[: last + 1])
