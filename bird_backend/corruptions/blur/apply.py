"""Blur: each pixel mixed with its neighbourhood."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import convolve1d
from torch import Tensor

from bird_backend.corruptions.linear import Taps, as_images, as_pixels, mix, smooth, stencil

__all__ = ["defocus_blur", "gaussian_blur"]


def gaussian_blur(images: Tensor, _generator: torch.Generator, *, sigma: float) -> Tensor:
    """A Gaussian of `sigma` pixels, channel by channel."""
    height, width = images.shape[2:]
    return as_images(smooth(as_pixels(images), height, width, sigma), images.shape)


def defocus_blur(images: Tensor, _generator: torch.Generator, *, radius: float, sigma: float) -> Tensor:
    """Each point a disk of `radius` up to 8 pixels, its edge softened by the nearest nine values of a Gaussian."""
    height, width = images.shape[2:]
    taps = _disk_taps(height, width, radius, sigma, images.device)
    return as_images(mix(as_pixels(images), taps), images.shape)


@lru_cache(maxsize=64)
def _disk_taps(height: int, width: int, radius: float, sigma: float, device: torch.device) -> Taps:
    axis = np.arange(-8, 9)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2).astype(np.float64)
    bell = np.exp(-0.5 * (np.arange(-1, 2) / sigma) ** 2)
    for side in (0, 1):
        disk = convolve1d(disk, bell / bell.sum(), axis=side, mode="mirror")
    return stencil(height, width, disk / disk.sum(), "reflect", device)
