"""Zoom blur: the mean of an image and of ever larger views of its middle."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bird_backend.corruptions.linear import Taps, as_images, as_pixels, collect_taps, mix

__all__ = ["middle", "zoom_blur", "zoomed_axis"]


def zoom_blur(images: Tensor, _generator: torch.Generator, *, stop: float) -> Tensor:
    """The mean over zooms of 1, 1.01, ... up to about `stop`, and of the image itself once more."""
    height, width = images.shape[2:]
    return as_images(mix(as_pixels(images), _zoom_taps(height, width, stop, images.device)), images.shape)


def zoomed_axis(size: int, zoom: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places in the `middle` and weights [2,size] of a side enlarged linearly, as scipy's `zoom` of order 1 does.

    The middle is stretched with its first and last pixel held, and what sticks out is cut off.
    """
    kept = middle(size, zoom)
    stretched = round(kept * zoom)
    positions = (np.arange(size) + (stretched - size) // 2) * (kept - 1) / max(stretched - 1, 1)
    low = np.minimum(positions.astype(np.int64), kept - 1)
    part = positions - low
    return np.stack([low, np.minimum(low + 1, kept - 1)]), np.stack([1 - part, part])


def middle(size: int, zoom: float) -> int:
    """How many pixels of a side are left to be seen when it is enlarged."""
    return math.ceil(size / zoom)


@lru_cache(maxsize=32)
def _zoom_taps(height: int, width: int, stop: float, device: torch.device) -> Taps:
    zooms = np.arange(1, stop, 0.01)
    sources = [np.arange(height * width).reshape(1, height, width)]
    weights = [np.ones((1, height, width))]
    for zoom in zooms:
        rows, row_weights = zoomed_axis(height, zoom)
        columns, column_weights = zoomed_axis(width, zoom)
        rows += (height - middle(height, zoom)) // 2
        columns += (width - middle(width, zoom)) // 2
        corners = rows[:, None, :, None] * width + columns[None, :, None, :]  # (2, 2, H, W)
        shares = row_weights[:, None, :, None] * column_weights[None, :, None, :]
        sources.append(corners.reshape(4, height, width))
        weights.append(shares.reshape(4, height, width))
    return collect_taps(np.concatenate(sources), np.concatenate(weights) / (len(zooms) + 1), device)
