"""Linear filters of whole images: each new pixel is a weighted sum of a few old ones, the same few in every image.

With one line of memory for a pixel of all images, that is a sum of whole lines, which `embedding_bag` makes in one go
from a table of which and how much. Where that would be too large, a Gaussian is a matrix for each side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["MOST_TAPS", "NOTHING", "Taps", "as_images", "as_pixels", "collect_taps", "mix", "smooth", "stencil"]

NOTHING = 1e-9
"""A weight that no float32 sum would feel."""
MOST_TAPS = 2**20
"""In a table that is made and kept at once for each of many settings: 8 MiB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Taps:
    """New pixel i is the sum of `weights[k]` × old pixel `sources[k]`, for k from `firsts[i]` up to `firsts[i + 1]`."""

    sources: Tensor
    firsts: Tensor
    weights: Tensor


def as_pixels(images: Tensor) -> Tensor:
    """Images [B,C,H,W] as lines of one pixel each [H*W, C*B], a copy."""
    batch, channels, height, width = images.shape
    lines = images.transpose(0, 1).reshape(channels * batch, height * width).t()
    return lines.clone(memory_format=torch.contiguous_format)


def as_images(pixels: Tensor, shape: torch.Size) -> Tensor:
    """What `as_pixels` was given, of this shape."""
    batch, channels, height, width = shape
    return pixels.t().reshape(channels, batch, height, width).transpose(0, 1).contiguous()


def mix(pixels: Tensor, taps: Taps) -> Tensor:
    """Weighted sums of lines of pixels."""
    return functional.embedding_bag(taps.sources, pixels, taps.firsts, mode="sum", per_sample_weights=taps.weights)


def smooth(pixels: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """A Gaussian cut off at four standard deviations, the border repeated, for lines of pixels [H*W, C*B]."""
    bell = _bell(sigma)
    if len(bell) * height * width <= MOST_TAPS:
        for taps in _gaussian_taps(height, width, sigma, pixels.device):
            pixels = mix(pixels, taps)
        return pixels
    down, across = (_gaussian_matrix(side, sigma, pixels.device) for side in (height, width))
    with torch.autocast(pixels.device.type, enabled=False):
        rows = (down @ pixels.view(height, -1)).view(height, width, -1)
        return torch.matmul(across, rows).view(pixels.shape)


def stencil(
    height: int, width: int, kernel: NDArray[np.float64], border: Literal["edge", "reflect"], device: torch.device
) -> Taps:
    """A kernel of odd sides, correlated with the image; beyond the border as in `np.pad`."""
    above, beside = (side // 2 for side in kernel.shape)
    rows = np.pad(np.arange(height), above, mode=border)
    columns = np.pad(np.arange(width), beside, mode=border)
    sources = [
        rows[row : row + height, None] * width + columns[column : column + width]
        for row, column in np.ndindex(*kernel.shape)
    ]
    weights = np.broadcast_to(kernel.reshape(-1, 1, 1), (kernel.size, height, width))
    return collect_taps(np.stack(sources), weights, device)


def collect_taps(sources: NDArray[Any], weights: ArrayLike, device: torch.device) -> Taps:
    """Taps for `sources` and `weights` [K, H, W]: K old pixels for each new one, any of them more than once."""
    new = sources[0].size
    old = int(sources.max()) + 1
    targets = np.broadcast_to(np.arange(new).reshape(sources.shape[1:]), sources.shape)
    pairs, places = np.unique(targets * old + sources, return_inverse=True)
    totals = np.bincount(places.reshape(-1), np.asarray(weights).reshape(-1))
    pairs, totals = pairs[totals > NOTHING], totals[totals > NOTHING]
    return Taps(
        sources=torch.from_numpy((pairs % old).astype(np.int32)).to(device),
        firsts=torch.from_numpy(np.searchsorted(pairs // old, np.arange(new)).astype(np.int32)).to(device),
        weights=torch.from_numpy(totals.astype(np.float32)).to(device),
    )


@lru_cache(maxsize=64)
def _gaussian_taps(height: int, width: int, sigma: float, device: torch.device) -> tuple[Taps, ...]:
    """Down the columns and then along the rows, or nowhere if the Gaussian is narrower than a pixel's side."""
    bell = _bell(sigma)
    sides = (bell[:, None], bell[None]) if len(bell) > 1 else ()
    return tuple(stencil(height, width, side, "edge", device) for side in sides)


@lru_cache(maxsize=32)
def _gaussian_matrix(size: int, sigma: float, device: torch.device) -> Tensor:
    """[size, size]: row i has the weights of smoothed pixel i."""
    bell = _bell(sigma)
    reach = len(bell) // 2
    matrix = np.zeros((size, size))
    for offset, weight in enumerate(bell, start=-reach):
        np.add.at(matrix, (np.arange(size), (np.arange(size) + offset).clip(0, size - 1)), weight)
    return torch.from_numpy(matrix.astype(np.float32)).to(device)


def _bell(sigma: float) -> NDArray[np.float64]:
    reach = int(4 * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(bell / bell.sum())
