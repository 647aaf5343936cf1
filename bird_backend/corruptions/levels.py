"""Whole levels, 0 to 255: what the published procedures, which work on bytes, cut values down to."""

from __future__ import annotations

from torch import Tensor

__all__ = ["HAIR", "to_levels"]

HAIR = 1e-3
"""Of a level: float32 may leave a value that little under the whole level it stands for."""


def to_levels(values: Tensor) -> Tensor:
    """Values in [0,1], which are overwritten, in levels, not yet cut down: a cast to whole numbers does that."""
    return values.mul_(255).add_(HAIR)
