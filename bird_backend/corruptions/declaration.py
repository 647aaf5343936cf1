"""What a corruption declares, torch-free: its facts, and tables of its constants. Its function stands beside."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bird_backend.corruptions.sources import Between, Source, between

__all__ = ["SEVERITIES", "Constants", "Corruption", "rows"]

SEVERITIES = (1, 2, 3, 4, 5)

Constants = Mapping[str, float]
Rows = tuple[Constants, ...]


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """A way of spoiling an image. *Seen* ones may be trained on by a robust teacher, held-out ones never.

    Declared in a folder of its family, whose file `apply` has a function of the corruption's name.
    """

    name: str
    place: int
    title: str
    caption: str
    family: str
    module: str
    """The folder as it is imported: `__name__` there."""
    constants: Mapping[Source, Rows]
    """The function's arguments at each severity, by who chose them; one table alone serves images of every size."""
    whole: frozenset[str] = frozenset()
    """Constants that are whole numbers, between two tables too."""
    held_out: bool = False
    random: bool = False
    """Whether it draws from the generator."""
    options: frozenset[str] = frozenset()
    """Which of `faithful` and `frost_textures` it takes."""

    @property
    def function(self) -> Callable[..., Any]:
        """`f(images, generator, **constants)`: float32 images [B,3,H,W] in [0,1] to new ones, which may leave [0,1].

        Never writes to its input, never waits for the device, draws from the generator alone, and lets gradients
        through where the procedure has any. Loads torch.
        """
        function: Callable[..., Any] = getattr(importlib.import_module(f"{self.module}.apply"), self.name)
        return function

    def constants_for(self, side: int) -> Rows:
        """The function's arguments at each severity, for images whose shorter side has so many pixels."""
        place = between(side, tuple(self.constants))
        pairs = zip(self.constants[place.lower], self.constants[place.upper], strict=True)
        return tuple(self._mixed(low, high, place) for low, high in pairs)

    def _mixed(self, low: Constants, high: Constants, place: Between) -> Constants:
        if place.lower == place.upper:
            return low
        mixed = {name: low[name] + (high[name] - low[name]) * place.share for name in low}
        return {name: round(value) if name in self.whole else round(value, 6) for name, value in mixed.items()}


def rows(names: str, *values: tuple[float, ...] | float) -> Rows:
    """Constants, one row a severity, under the names that a function calls them by."""
    keys = names.split()
    filled = [row if isinstance(row, tuple) else (row,) for row in values]
    return tuple(dict(zip(keys, row, strict=True)) for row in filled)
