"""Blur: each pixel mixed with its neighbourhood."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from torch import Tensor

from bird_backend.corruptions.linear import MOST_TAPS, NOTHING, Taps, as_images, as_pixels, mix, smooth, stencil

__all__ = ["defocus_blur", "gaussian_blur"]


def gaussian_blur(images: Tensor, _generator: torch.Generator, *, sigma: float) -> Tensor:
    """A Gaussian of `sigma` pixels, channel by channel."""
    height, width = images.shape[2:]
    return as_images(smooth(as_pixels(images), height, width, sigma), images.shape)


def defocus_blur(images: Tensor, _generator: torch.Generator, *, radius: float, sigma: float) -> Tensor:
    """Each point a disk of `radius` pixels, its edge softened by the nearest values of a Gaussian.

    A disk of 8 pixels or more touches the rim of the published kernel, whose softening mirrors it there: then weights
    add up to 1 % more than one.
    """
    height, width = images.shape[2:]
    disk = _disk(radius, sigma)
    if np.count_nonzero(disk) * height * width <= MOST_TAPS:
        taps = _disk_taps(height, width, radius, sigma, images.device)
        return as_images(mix(as_pixels(images), taps), images.shape)
    reach = len(disk) // 2
    padded = _mirrored(_mirrored(images, reach, -1), reach, -2)
    # By the spectrum: with this many weights, several times faster than a sum over them.
    rows, columns = padded.shape[-2:]
    spectrum = torch.fft.rfft2(padded) * _disk_spectrum(rows, columns, radius, sigma, images.device)
    blurred: Tensor = torch.fft.irfft2(spectrum, s=(rows, columns))
    return blurred[..., 2 * reach :, 2 * reach :].contiguous()


def _disk(radius: float, sigma: float) -> NDArray[np.float64]:
    """The published kernel, softened from further off where the radius is above 8, without its empty rim."""
    reach, near = (8, 1) if radius <= 8 else (math.ceil(radius), 2)
    axis = np.arange(-reach, reach + 1)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2).astype(np.float64)
    disk /= disk.sum()
    bell = np.exp(-0.5 * (np.arange(-near, near + 1) / sigma) ** 2)
    for side in (0, 1):
        disk = convolve1d(disk, bell / bell.sum(), axis=side, mode="mirror")
    used = reach - int(np.flatnonzero(disk.max(axis=0) > NOTHING)[0])
    disk = disk[reach - used : reach + used + 1, reach - used : reach + used + 1]
    return np.where(disk > NOTHING, disk, 0)


def _mirrored(images: Tensor, reach: int, dim: int) -> Tensor:
    """With `reach` more pixels on both sides, as `np.pad` reflects: over and over, if the image is that small."""
    places = np.pad(np.arange(images.shape[dim]), reach, mode="reflect")
    return images.index_select(dim, torch.from_numpy(places).to(images.device))


@lru_cache(maxsize=32)
def _disk_spectrum(rows: int, columns: int, radius: float, sigma: float, device: torch.device) -> Tensor:
    disk = torch.from_numpy(_disk(radius, sigma).astype(np.float32)).to(device)
    spectrum: Tensor = torch.fft.rfft2(disk, s=(rows, columns))
    return spectrum


@lru_cache(maxsize=64)
def _disk_taps(height: int, width: int, radius: float, sigma: float, device: torch.device) -> Taps:
    return stencil(height, width, _disk(radius, sigma), "reflect", device)
