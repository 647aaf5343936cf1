"""Filters that act along one side of the image at a time: each value becomes a weighted mean of others in its line.

Sums of shifted copies rather than convolutions or matrix products, which TF32 and autocast would round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["box_resize", "gaussian_smooth"]


def gaussian_smooth(images: Tensor, sigma: float, *, dim: int) -> Tensor:
    """A Gaussian cut off at four standard deviations, the border repeated (scipy's `truncate=4, mode="nearest"`)."""
    size, radius = images.shape[dim], int(4 * sigma + 0.5)
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    total = math.fsum(weights)
    padded = images.index_select(dim, _repeated_border(size, radius, images.device))
    result = padded.narrow(dim, 0, size) * (weights[0] / total)
    for shift, weight in enumerate(weights[1:], start=1):
        result.add_(padded.narrow(dim, shift, size), alpha=weight / total)
    return result


def box_resize(images: Tensor, size: int, *, dim: int) -> Tensor:
    """Resized along dimension 2 or 3 as Pillow's BOX filter does, before its rounding."""
    taps = _box_taps(images.shape[dim], size, images.device)
    shape = (-1, 1) if dim == 2 else (-1,)
    result = images.index_select(dim, taps.places[0]).mul_(taps.weights[0].view(shape))
    for places, weights in zip(taps.places[1:], taps.weights[1:], strict=True):
        result.addcmul_(images.index_select(dim, places), weights.view(shape))
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taps:
    """Output i is the sum over k of `weights[k, i]` × input `places[k, i]`."""

    places: Tensor
    weights: Tensor


@lru_cache(maxsize=64)
def _repeated_border(size: int, radius: int, device: torch.device) -> Tensor:
    return torch.arange(-radius, size + radius, device=device).clamp_(0, size - 1)


@lru_cache(maxsize=64)
def _box_taps(size: int, new_size: int, device: torch.device) -> _Taps:
    """A new pixel is the plain mean of the old ones whose centres fall into it, at least the one it lies in."""
    scale = size / new_size
    reach = max(scale, 1.0) / 2
    spans = []
    for i in range(new_size):
        centre = (i + 0.5) * scale
        first, last = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), size)
        spans.append([j for j in range(first, last) if -reach < j + 0.5 - centre <= reach])
    width = max(map(len, spans))
    places = np.array([span + [0] * (width - len(span)) for span in spans]).T
    weights = np.array([[1 / len(span)] * len(span) + [0.0] * (width - len(span)) for span in spans]).T
    return _Taps(
        places=torch.from_numpy(places.copy()).to(device),
        weights=torch.from_numpy(weights.astype(np.float32)).to(device),
    )
