"""Digital corruptions: what processing and storing does to an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bird_backend.corruptions.levels import HAIR
from bird_backend.corruptions.linear import Taps, as_images, as_pixels, collect_taps, mix

__all__ = ["contrast", "pixelate"]


def contrast(images: Tensor, _generator: torch.Generator, *, kept: float) -> Tensor:
    """Every value drawn towards the mean of its image and channel."""
    mean = images.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(mean, images, kept)


@torch.no_grad()
def pixelate(images: Tensor, _generator: torch.Generator, *, share: float) -> Tensor:
    """Shrunk to `share` of each side and enlarged again, as Pillow's BOX filter does on bytes.

    Pillow resizes horizontally, then vertically, and rounds to whole levels after each.
    """
    grid = _grid(images.shape[2], images.shape[3], share, images.device)
    levels = as_pixels(images).mul_(255).round_()
    for taps in (grid.narrower, grid.lower):
        levels = mix(levels, taps).add_(0.5 + HAIR).floor_()
    return as_images(levels.index_select(0, grid.enlarged).div_(255), images.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    """From an image to its few blocks, along its rows and then down its columns, and which block each pixel becomes."""

    narrower: Taps
    lower: Taps
    enlarged: Tensor


@lru_cache(maxsize=32)
def _grid(height: int, width: int, share: float, device: torch.device) -> _Grid:
    rows, columns = max(int(height * share), 1), max(int(width * share), 1)
    across, across_weights = _box(width, columns)
    down, down_weights = _box(height, rows)
    lines, blocks = np.arange(height)[:, None], np.arange(columns)
    large_down, large_across = _box(rows, height)[0][0], _box(columns, width)[0][0]
    return _Grid(
        narrower=_taps(across[:, None] + lines * width, across_weights[:, None], device),
        lower=_taps(down[:, :, None] * columns + blocks, down_weights[:, :, None], device),
        enlarged=torch.from_numpy((large_down[:, None] * columns + large_across).reshape(-1)).to(device),
    )


def _taps(sources: NDArray[Any], weights: NDArray[Any], device: torch.device) -> Taps:
    return collect_taps(sources, np.broadcast_to(weights, sources.shape), device)


def _box(size: int, new_size: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places and weights [K, new_size] along a side: the plain mean of the old pixels whose centres lie in the new one.

    At least of the one that the new pixel's own centre lies in.
    """
    scale = size / new_size
    reach = max(scale, 1.0) / 2
    spans = []
    for i in range(new_size):
        centre = (i + 0.5) * scale
        first, last = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), size)
        spans.append([j for j in range(first, last) if -reach < j + 0.5 - centre <= reach])
    longest = max(map(len, spans))
    places = np.array([span + [0] * (longest - len(span)) for span in spans]).T
    weights = np.array([[1 / len(span)] * len(span) + [0.0] * (longest - len(span)) for span in spans]).T
    return places, weights
