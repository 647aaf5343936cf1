"""Blur: each pixel mixed with its neighbourhood."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import convolve1d
from torch import Tensor

from bird_backend.corruptions.linear import Taps, as_images, as_pixels, mix, stencil

__all__ = ["defocus_blur", "gaussian_blur", "smooth"]


def gaussian_blur(images: Tensor, _generator: torch.Generator, *, sigma: float) -> Tensor:
    """A Gaussian of `sigma` pixels, channel by channel."""
    height, width = images.shape[2:]
    return as_images(smooth(as_pixels(images), height, width, sigma), images.shape)


def defocus_blur(images: Tensor, _generator: torch.Generator, *, radius: float, sigma: float) -> Tensor:
    """Each point a disk of `radius` up to 8 pixels, its edge softened by the nearest nine values of a Gaussian."""
    height, width = images.shape[2:]
    taps = _disk_taps(height, width, radius, sigma, images.device)
    return as_images(mix(as_pixels(images), taps), images.shape)


def smooth(pixels: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """A Gaussian cut off at four standard deviations, the border repeated, for lines of pixels [H*W, C*B]."""
    for taps in _gaussian_taps(height, width, sigma, pixels.device):
        pixels = mix(pixels, taps)
    return pixels


@lru_cache(maxsize=64)
def _gaussian_taps(height: int, width: int, sigma: float, device: torch.device) -> tuple[Taps, ...]:
    """Down the columns and then along the rows, or nowhere if the Gaussian is narrower than a pixel's side."""
    reach = int(4 * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    bell /= bell.sum()
    sides = (bell[:, None], bell[None]) if reach else ()
    return tuple(stencil(height, width, side, "edge", device) for side in sides)


@lru_cache(maxsize=64)
def _disk_taps(height: int, width: int, radius: float, sigma: float, device: torch.device) -> Taps:
    axis = np.arange(-8, 9)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2).astype(np.float64)
    bell = np.exp(-0.5 * (np.arange(-1, 2) / sigma) ** 2)
    for side in (0, 1):
        disk = convolve1d(disk, bell / bell.sum(), axis=side, mode="mirror")
    return stencil(height, width, disk / disk.sum(), "reflect", device)
