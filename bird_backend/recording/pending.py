"""Logged values on their way to the metrics: they stay on their device until a while has passed, then come together.

The pause is two hundred times what the last writing took, so that however slow the disk or the device, writing costs a
training about half a hundredth of its time at most.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from bird_backend.errors import InputError

__all__ = ["Number", "Pending"]

Number = float | int | Tensor
"""A tensor holds one number."""

_LEAST_SECONDS = 0.5
_RATIO = 200


class Pending:
    """Values by step. A step stays here until the next one begins, so that all that is said of it is one row."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: list[tuple[int, dict[str, Number]]] = []
        self._last = clock()
        self._pause = _LEAST_SECONDS

    def add(self, step: int, values: Mapping[str, Number]) -> bool:
        """Keep them; true where the steps before are due to be written.

        What is no number is an `InputError`. A tensor may change afterwards: what it holds now is what counts.
        """
        kept: dict[str, Number] = {}
        for name, value in values.items():
            if isinstance(value, Tensor):
                if value.numel() != 1:
                    raise InputError(f"{name} is a tensor of shape {list(value.shape)}; what is logged is one number.")
                kept[name] = value.detach().reshape(()).clone()
            elif isinstance(value, bool) or not isinstance(value, int | float):
                kept[name] = _number(name, value)
            else:
                kept[name] = value
        if self._steps and self._steps[-1][0] == step:
            self._steps[-1][1].update(kept)
            return False
        self._steps.append((step, kept))
        return self._clock() - self._last >= self._pause

    def take(self, *, all_: bool = False) -> list[tuple[int, dict[str, float | None]]]:
        """The finished steps, or all, as numbers; none where one is not finite. This waits for the device."""
        taken = self._steps if all_ else self._steps[:-1]
        self._steps = self._steps[len(taken) :]
        places: dict[torch.device, list[tuple[dict[str, Number], str]]] = {}
        for _, values in taken:
            for name, value in values.items():
                if isinstance(value, Tensor):
                    places.setdefault(value.device, []).append((values, name))
        for found in places.values():
            together = torch.stack([values[name].float() for values, name in found])  # type: ignore[union-attr]
            for (values, name), number in zip(found, together.tolist(), strict=True):
                values[name] = number
        return [(step, {name: _finite(value) for name, value in values.items()}) for step, values in taken]

    def wrote(self, began: float) -> None:
        """Writing began at that moment of the clock and is done: the next has time."""
        self._last = self._clock()
        self._pause = max(_LEAST_SECONDS, _RATIO * (self._last - began))


def _number(name: str, value: Any) -> float:
    """Of a NumPy scalar and the like."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {type(value).__name__}; what is logged is one number.") from None


def _finite(value: Number) -> float | None:
    return value if not isinstance(value, Tensor) and math.isfinite(value) else None
