"""What a study's table needs of one finished run: who was right, image by image, and the figures of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bird_backend.errors import InputError
from bird_backend.measures import GROUPS, Group, Interval, chance, group_share
from bird_backend.measures.figures import FIGURES, read_figure, work_out
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_predictions
from bird_backend.runs.store import Run

__all__ = ["RunShares", "read_shares"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunShares:
    """`shares[model][group]` [n] is, for each test image, the share of a group's cells that a network got right."""

    images: np.ndarray
    """Places [n] in the data set's test split."""
    shares: Mapping[str, Mapping[Group, np.ndarray]]
    """A group that was not measured is left out."""
    cells: frozenset[tuple[str, int]]
    """Conditions and strengths behind the shares."""
    figures: Mapping[str, Mapping[str, Interval]]
    """By model, then name."""
    chance: float
    """How often one is right on these images who always names the commonest class."""

    def comparable(self, other: RunShares) -> bool:
        """Whether both were measured on the same images in the same cells, so that their difference means something."""
        return self.cells == other.cells and np.array_equal(self.images, other.images)


def read_shares(run: Run) -> RunShares:
    """Read a finished run once; predictions that are gone or damaged are an `InputError` of one sentence."""
    path = run.directory.artifacts / "predictions.npz"
    summary = run.summary or {}
    try:
        read = _read(str(run.directory.path), path.stat().st_mtime_ns, _missing(summary))
    except (OSError, ValueError, KeyError, InputError) as error:
        raise InputError(f"The predictions of run {run.id} can't be read.") from error
    kept = {
        model: {name: found for name in FIGURES if (found := read_figure(summary, model, name)) is not None}
        for model in read.shares
    }
    figures = {model: {**read.figures[model], **kept[model]} for model in read.shares}
    return RunShares(images=read.images, shares=read.shares, cells=read.cells, figures=figures, chance=read.chance)


def _missing(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Figures that no network of the run has, since they were declared after it."""
    kept = set().union(*(summary.get("figures") or {"": ()}).values())
    return tuple(name for name in FIGURES if name not in kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    images: np.ndarray
    shares: Mapping[str, Mapping[Group, np.ndarray]]
    cells: frozenset[tuple[str, int]]
    figures: Mapping[str, Mapping[str, Interval]]
    chance: float


@lru_cache(maxsize=256)
def _read(path: str, _mtime: int, missing: tuple[str, ...]) -> _Read:
    """A few numbers an image rather than whole predictions, which would fill memory with a study of many runs."""
    predictions = read_predictions(RunDirectory(Path(path)))
    if predictions is None:
        raise FileNotFoundError(path)
    shares = {
        model: {
            group: share.astype(np.float32)
            for group in GROUPS
            if (share := group_share(predictions, model, group)) is not None
        }
        for model in predictions.models
    }
    figures = {
        model: {name: found for name in missing if (found := work_out(predictions, model, name)) is not None}
        for model in predictions.models
    }
    return _Read(
        images=predictions.images,
        shares=shares,
        cells=frozenset(predictions.cells),
        figures=figures,
        chance=chance(predictions),
    )
