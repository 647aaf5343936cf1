"""What corruptions do to images in three figures, and how far that is from what a published script does to the same."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["Disturbance", "Table", "disturbance", "exceeded", "read_reference", "reversed_pairs"]

FIGURES = ("mean_abs", "rms", "mean_shift")
LIMIT = 0.1
LIMITS = {"frost": 0.25}
"""Frost depends on the pictures of ice that are laid over the images."""
SMALL_SHIFT, SHIFT_LIMIT = 0.02, 0.002
"""A share says little of shifts that small: compared by their difference."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """Means over images, in shares of the range."""

    mean_abs: float
    rms: float
    """Of each image, then the mean."""
    mean_shift: float
    chance: float = 0.0
    """Standard error of the mean shift, over images."""


Table = Mapping[tuple[str, int], Disturbance]
"""By corruption and severity."""


def disturbance(before: Tensor, after: Tensor) -> Disturbance:
    """How far `after` is from `before`, both uint8 [N,3,H,W]."""
    difference = (after.to(torch.float32) - before.to(torch.float32)).div_(255).flatten(1)
    shift = difference.mean(dim=1)
    return Disturbance(
        mean_abs=difference.abs().mean().item(),
        rms=difference.square().mean(dim=1).sqrt().mean().item(),
        mean_shift=shift.mean().item(),
        chance=(shift.var(correction=0) / len(shift)).sqrt().item(),
    )


def read_reference(path: Path) -> Table:
    """A CSV with the columns corruption, severity, mean_abs, rms and mean_shift; others are left alone."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            (row["corruption"], int(row["severity"])): Disturbance(**{name: float(row[name]) for name in FIGURES})
            for row in csv.DictReader(file)
        }


def exceeded(name: str, ours: Disturbance, published: Disturbance) -> list[str]:
    """The figures that are further from the published ones than they may be."""
    limit = LIMITS.get(name, LIMIT)
    found = []
    for figure in FIGURES:
        mine, theirs = getattr(ours, figure), getattr(published, figure)
        small = figure == "mean_shift" and abs(theirs) < SMALL_SHIFT
        if abs(mine - theirs) > (SHIFT_LIMIT if small else limit * abs(theirs)):
            found.append(figure)
    return found


def reversed_pairs(ours: Sequence[float], published: Sequence[float]) -> list[tuple[int, int, float]]:
    """Severities (from 1) that stand the other way round in `ours`, and how far apart they are in `published`."""
    return [
        (i + 1, j + 1, abs(published[i] - published[j]) / max(published[i], published[j]))
        for i, j in combinations(range(len(published)), 2)
        if (ours[i] - ours[j]) * (published[i] - published[j]) < 0
    ]
