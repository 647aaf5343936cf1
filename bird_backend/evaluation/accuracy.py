"""Accuracy on clean and corrupted images, several models on the very same ones, corrupted on the fly.

The models are compared image by image: an interval of a difference comes from the same images seen by both, which is
what makes a gain of a point visible with a thousand of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from bird_backend.corruptions import corrupt
from bird_backend.datasets import Split, normalise
from bird_backend.seeds import derive_seed
from bird_backend.training.device import layout, to_layout, training_mode

__all__ = ["AccuracyTable", "Interval", "measure_accuracy"]

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over test images with its 95 % normal interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True, eq=False)
class AccuracyTable:
    """`correct[model]` is [cells, n]: which of the n images the model got right in each cell (corruption, severity)."""

    cells: tuple[tuple[str, int], ...]
    correct: Mapping[str, Tensor]

    @property
    def n(self) -> int:
        """Test images in each cell."""
        return next(iter(self.correct.values())).shape[1]

    def frame(self) -> pd.DataFrame:
        """One row a model and cell: model, corruption, severity, n, correct."""
        return pd.DataFrame(
            [
                {"model": model, "corruption": name, "severity": severity, "n": self.n, "correct": int(row.sum())}
                for model, table in self.correct.items()
                for (name, severity), row in zip(self.cells, table, strict=True)
            ]
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `correct.npz`: `cells` ("contrast 3"), and for each model booleans [cells, n]."""
        names = np.array([f"{name} {severity}" for name, severity in self.cells])
        return {"cells": names, **{model: table.numpy() for model, table in self.correct.items()}}

    def mean(self, model: str, names: Sequence[str]) -> Interval | None:
        """Accuracy of `model` averaged over all cells of the named corruptions; none where there are no such cells."""
        return self._interval(self._per_image(model, names))

    def gain(self, model: str, over: str, names: Sequence[str]) -> Interval | None:
        """How much better `model` is than `over` on the same images, averaged over the named corruptions' cells."""
        a, b = self._per_image(model, names), self._per_image(over, names)
        return self._interval(None if a is None or b is None else a - b)

    def by_cell(self, model: str) -> dict[str, dict[str, float]]:
        """Accuracy of `model` by corruption, then severity."""
        result: dict[str, dict[str, float]] = {}
        for (name, severity), row in zip(self.cells, self.correct[model], strict=True):
            result.setdefault(name, {})[str(severity)] = float(row.double().mean())
        return result

    def _per_image(self, model: str, names: Sequence[str]) -> Tensor | None:
        rows = [index for index, (name, _) in enumerate(self.cells) if name in names]
        return self.correct[model][rows].double().mean(dim=0) if rows else None

    @staticmethod
    def _interval(per_image: Tensor | None) -> Interval | None:
        if per_image is None:
            return None
        n, mean = len(per_image), float(per_image.mean())
        half = 1.96 * float(per_image.std()) / n**0.5 if n > 1 else 0.0
        return Interval(value=mean, low=mean - half, high=mean + half)


@torch.no_grad()
def measure_accuracy(
    models: Mapping[str, nn.Module],
    split: Split,
    *,
    corruptions: Sequence[str],
    severities: Sequence[int],
    seed: int,
    limit: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> AccuracyTable:
    """Accuracy of each model on clean images and every corruption × severity.

    At most `limit` images, drawn by a fixed seed. The noise of a cell depends on the seed, the cell and the batch, so
    every run and every model sees the same corrupted images.
    """
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(derive_seed(0, "test images")))
    chosen = order[:limit].to(split.images.device)
    images, labels = split.images[chosen], split.labels[chosen]
    cells = [("clean", 0), *((name, severity) for name in corruptions for severity in severities)]
    layouts = {name: layout(model) for name, model in models.items()}
    generator = torch.Generator(images.device)
    table = {name: torch.empty(len(cells), len(images), dtype=torch.bool, device=images.device) for name in models}
    with ExitStack() as modes:
        for model in models.values():
            modes.enter_context(training_mode(model, False))
        for row, (name, severity) in enumerate(cells):
            for start in range(0, len(images), _BATCH):
                batch = images[start : start + _BATCH]
                if severity:
                    generator.manual_seed(derive_seed(seed, f"{name} {severity}", start))
                    batch = corrupt(batch, name, severity, generator=generator)
                normalised = normalise(batch)
                for key, model in models.items():
                    predicted = model(to_layout(normalised, layouts[key])).argmax(dim=1)
                    table[key][row, start : start + _BATCH] = predicted == labels[start : start + _BATCH]
            if progress is not None:
                progress((row + 1) / len(cells))
    return AccuracyTable(cells=tuple(cells), correct={key: value.cpu() for key, value in table.items()})
