"""What a study's table needs of one finished run: who was right, image by image, and the numbers of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from bird_backend.errors import InputError
from bird_backend.measures import GROUPS, Group, group_share
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_predictions
from bird_backend.runs.store import Run

__all__ = ["Measured", "read_measured"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """`shares[model][group]` [n] is, for each test image, the share of a group's cells that a network got right."""

    images: np.ndarray
    """Places [n] in the data set's test split."""
    shares: Mapping[str, Mapping[Group, np.ndarray]]
    """A group that was not measured is left out."""
    cells: frozenset[tuple[str, int]]
    """Corruptions and severities behind the shares."""
    summary: Mapping[str, Any]

    def comparable(self, other: Measured) -> bool:
        """Whether both were measured on the same images in the same cells, so that their difference means something."""
        return self.cells == other.cells and np.array_equal(self.images, other.images)


def read_measured(run: Run) -> Measured:
    """Read a finished run once; predictions that are gone or damaged are an `InputError` of one sentence."""
    path = run.directory.artifacts / "predictions.npz"
    try:
        shares, images, cells = _read(str(run.directory.path), path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"The predictions of run {run.id} can't be read.") from error
    return Measured(images=images, shares=shares, cells=cells, summary=run.summary or {})


Read = tuple[Mapping[str, Mapping[Group, np.ndarray]], np.ndarray, frozenset[tuple[str, int]]]


@lru_cache(maxsize=256)
def _read(path: str, _mtime: int) -> Read:
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
    return shares, predictions.images, frozenset(predictions.cells)
