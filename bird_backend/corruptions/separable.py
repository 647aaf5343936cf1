"""Filters that act on rows, then on columns: each value becomes a weighted mean of values along one side.

Sums of shifted copies rather than convolutions or matrix products, which TF32 and autocast would round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["Taps", "apply", "box_taps", "gaussian_taps"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Taps:
    """Output i is the sum over k of `weights[k, i]` × input `places[k, i]`."""

    places: Tensor
    weights: Tensor


def apply(images: Tensor, taps: Taps, *, dim: int) -> Tensor:
    """`images` filtered along dimension 2 (rows of pixels, vertically) or 3 (horizontally)."""
    shape = (-1, 1) if dim == 2 else (-1,)
    result = images.index_select(dim, taps.places[0]).mul_(taps.weights[0].view(shape))
    for places, weights in zip(taps.places[1:], taps.weights[1:], strict=True):
        result.addcmul_(images.index_select(dim, places), weights.view(shape))
    return result


@lru_cache(maxsize=256)
def gaussian_taps(size: int, sigma: float, device: torch.device) -> Taps:
    """A Gaussian cut off at four standard deviations, the border repeated (scipy's `truncate=4, mode="nearest"`)."""
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    places = np.clip(np.arange(size)[None] + offsets[:, None], 0, size - 1)
    return _on(device, places, np.repeat((weights / weights.sum())[:, None], size, axis=1))


@lru_cache(maxsize=256)
def box_taps(size: int, new_size: int, device: torch.device) -> Taps:
    """Resizing as Pillow's BOX filter does: the plain mean of the pixels whose centres fall into the new one."""
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
    return _on(device, places, weights)


def resized(size: int, share: float) -> int:
    """`share` of a side length in whole pixels, at least one."""
    return max(math.floor(size * share), 1)


def _on(device: torch.device, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> Taps:
    return Taps(
        places=torch.from_numpy(places.copy()).to(device),
        weights=torch.from_numpy(weights.astype(np.float32)).to(device),
    )
