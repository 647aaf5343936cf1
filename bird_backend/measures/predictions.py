"""What each network of a run said of the same test images, as they are and under every condition of a behaviour."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["CLEAN", "Cell", "Predictions"]

Cell = tuple[str, int]
"""A condition and its strength."""

CLEAN: Cell = ("clean", 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """`predicted[model]` and `confidence[model]` are [cells, n]: the class a network chose and how probable it held it.

    The cells are of the conditions of `behaviour`, by name. `images` [n] are the images' places in the data set's test
    split, `labels` [n] their classes.
    """

    behaviour: str
    cells: tuple[Cell, ...]
    images: np.ndarray
    labels: np.ndarray
    predicted: Mapping[str, np.ndarray]
    confidence: Mapping[str, np.ndarray]

    @property
    def n(self) -> int:
        """Test images, the same in every cell and for every model."""
        return len(self.labels)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.predicted)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions measured, in order."""
        return tuple(dict.fromkeys(name for name, _ in self.cells if name != CLEAN[0]))

    @property
    def strengths(self) -> tuple[int, ...]:
        """The strengths measured of any condition."""
        return tuple(sorted({strength for name, strength in self.cells if name != CLEAN[0]}))

    def correct(self, model: str, cell: Cell) -> np.ndarray:
        """Which images [n] the model got right in a cell."""
        right: np.ndarray = self.predicted[model][self.cells.index(cell)] == self.labels
        return right

    def share(self, model: str, names: Collection[str], strength: int | None = None) -> np.ndarray | None:
        """Per image, the share [n] of the named conditions' cells that `model` got right; none without such cells."""
        rows = self.rows(names, strength)
        if model not in self.predicted or not rows:
            return None
        share: np.ndarray = (self.predicted[model][rows] == self.labels).mean(axis=0)
        return share

    def rows(self, names: Collection[str], strength: int | None = None) -> list[int]:
        """Places of the named conditions' cells, at one strength or all."""
        return [at for at, (name, level) in enumerate(self.cells) if name in names and strength in (None, level)]

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `predictions.npz`."""
        cells = np.array([f"{name} {strength}" for name, strength in self.cells])
        return {
            "behaviour": np.array(self.behaviour),
            "cells": cells,
            "images": self.images,
            "labels": self.labels,
            **{f"predicted {model}": values for model, values in self.predicted.items()},
            **{f"confidence {model}": values for model, values in self.confidence.items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Predictions:
        """The inverse of `arrays`; a `KeyError` or `ValueError` where they are not such arrays."""
        pairs = [cell.rsplit(" ", 1) for cell in arrays["cells"].tolist()]
        return cls(
            behaviour=str(arrays["behaviour"]),
            cells=tuple((name, int(strength)) for name, strength in pairs),
            images=arrays["images"],
            labels=arrays["labels"],
            predicted=_named(arrays, "predicted "),
            confidence=_named(arrays, "confidence "),
        )


def _named(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}
