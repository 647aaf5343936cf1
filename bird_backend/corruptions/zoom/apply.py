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

_MOST_TAPS = 2**22
"""Before those that meet are merged: five tables of at most 32 MiB each, several times faster than matrices."""


def zoom_blur(images: Tensor, _generator: torch.Generator, *, stop: float, step: float) -> Tensor:
    """The mean over zooms of 1, 1 + `step`, ... up to about `stop`, and of the image itself once more."""
    height, width = images.shape[2:]
    if 4 * len(_zooms(stop, step)) * height * width > _MOST_TAPS:
        return _zoomed_by_matrices(images, stop, step)
    return as_images(mix(as_pixels(images), _zoom_taps(height, width, stop, step, images.device)), images.shape)


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


def _zooms(stop: float, step: float) -> NDArray[np.float64]:
    return np.arange(1, stop, step)


def _zoomed_by_matrices(images: Tensor, stop: float, step: float) -> Tensor:
    """For images too large for a table of taps; takes many times as long."""
    height, width = images.shape[2:]
    total = images.clone()
    zooms = _zooms(stop, step)
    with torch.autocast(images.device.type, enabled=False):
        for zoom in zooms:
            down, across = (_zoom_matrix(size, zoom, images.device) for size in (height, width))
            total.add_(down @ (images @ across.T))
    return total.div_(len(zooms) + 1)


@lru_cache(maxsize=128)
def _zoom_matrix(size: int, zoom: float, device: torch.device) -> Tensor:
    """[size, size]: row i has the weights of enlarged pixel i."""
    places, weights = zoomed_axis(size, zoom)
    places += (size - middle(size, zoom)) // 2
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.broadcast_to(np.arange(size), places.shape), places), weights)
    return torch.from_numpy(matrix.astype(np.float32)).to(device)


@lru_cache(maxsize=16)
def _zoom_taps(height: int, width: int, stop: float, step: float, device: torch.device) -> Taps:
    zooms = _zooms(stop, step)
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
