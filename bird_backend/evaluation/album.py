"""Pictures kept of an evaluation: of every cell a few, and first those that the networks disagree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from bird_backend.evaluation.thumbnails import SIDE, thumbnails
from bird_backend.runs.reading import Examples

__all__ = ["Album"]

_POOL = 200
_SHOWN = 12


class Album:
    """Told of each cell's images batch by batch, it keeps those of its pool until it knows which of them to show."""

    def __init__(self, clean: Callable[[np.ndarray], Tensor], labels: np.ndarray, classes: Sequence[str]) -> None:
        """`clean` gives the images uint8 [P,3,S,S] of places [P] as they are; `labels` [n] are those of all."""
        n = len(labels)
        self._classes = np.array(classes)
        self._pool = np.linspace(0, n - 1, min(_POOL, n)).astype(np.int64)
        self._labels = labels[self._pool]
        self._clean = thumbnails(clean(self._pool), SIDE)
        # Data sets come sorted by class: the first of each rank should not all be of one.
        self._order = np.argsort(np.random.PCG64(0).random_raw(len(self._pool)), kind="stable")
        self._seen: list[Tensor] = []
        self._shown: list[np.ndarray] = []
        self._changed: list[np.ndarray] = []

    def see(self, batch: Tensor, start: int) -> None:
        """A cell's images from place `start` on."""
        inside = self._pool[(self._pool >= start) & (self._pool < start + len(batch))] - start
        self._seen.append(batch[torch.from_numpy(inside).to(batch.device)])

    def close_cell(self, predicted: Mapping[str, np.ndarray]) -> None:
        """All of a cell was seen; `predicted[model]` [n] is what each network said of it."""
        right = np.stack([said[self._pool] == self._labels for said in predicted.values()])
        rank = np.where(right.all(axis=0), 2, np.where(right.any(axis=0), 0, 1))
        shown = self._order[rank[self._order].argsort(kind="stable")][:_SHOWN]
        pictures = thumbnails(torch.cat(self._seen), SIDE)
        self._seen = []
        self._shown.append(shown)
        self._changed.append(pictures[shown])

    def examples(self) -> Examples:
        """What was kept."""
        return Examples(
            classes=self._classes,
            pool=self._pool,
            clean=self._clean,
            shown=np.stack(self._shown),
            changed=np.stack(self._changed),
        )
