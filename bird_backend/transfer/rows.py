"""Rows of a batch on one scale, so that a loss that knows no scale has no unbounded gradient where a row is zero."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

__all__ = ["rescaled", "unit_rows"]

_NO_SIZE = 1e-6
_SMALLEST = 1e-3


def rescaled(x: Tensor) -> Tensor:
    """The rows of x [n, d] over their root mean squared length, a constant to autograd; none grows from zero."""
    with torch.no_grad():
        size = x.square().sum(1).mean().sqrt().clamp_min(_NO_SIZE)
    return x / size


def unit_rows(x: Tensor) -> Tensor:
    """The rows of x [n, d] with length 1; those a thousand times shorter than is usual in the batch stay short."""
    return normalize(rescaled(x), eps=_SMALLEST)
