"""Snow: flakes smeared by the wind, and their mirror image, over a whitened picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bird_backend.corruptions.motion.apply import blur_along
from bird_backend.corruptions.zoom.apply import middle, zoomed_axis

__all__ = ["snow"]

_GREY = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in OpenCV's grey."""


def snow(
    images: Tensor,
    generator: torch.Generator,
    *,
    mean: float,
    deviation: float,
    zoom: float,
    threshold: float,
    radius: float,
    sigma: float,
    kept: float,
) -> Tensor:
    """Noise magnified `zoom` times is snow where it is above `threshold`, and falls along a line for each image.

    Images are whitened towards one and a half times their grey plus a half, all but the share `kept`.
    """
    flakes = _flakes(images, generator, mean, deviation, zoom)
    flakes = functional.threshold(flakes, threshold, 0, inplace=True).mul_(255).floor_().clamp_(max=255)
    turn = torch.rand(len(images), generator=generator, device=images.device, dtype=torch.float64)
    flakes = blur_along(flakes, radius, sigma, turn.mul_(90).sub_(135)).div_(255)
    flakes.add_(flakes.flip((2, 3)))

    white = images[:, :1] * (1.5 * _GREY[0])
    white.add_(images[:, 1:2], alpha=1.5 * _GREY[1]).add_(images[:, 2:], alpha=1.5 * _GREY[2]).add_(0.5)
    return torch.maximum(images, white).mul_(1 - kept).add_(images, alpha=kept).add_(flakes)


def _flakes(images: Tensor, generator: torch.Generator, mean: float, deviation: float, zoom: float) -> Tensor:
    """A normal layer [B,1,H,W], drawn only where the magnified part of it lies."""
    batch, _, height, width = images.shape
    drawn = (batch, 1, middle(height, zoom), middle(width, zoom))
    layer = torch.randn(drawn, generator=generator, device=images.device).mul_(deviation).add_(mean)
    if zoom == 1:
        return layer
    for size, dim in ((width, 3), (height, 2)):
        lower, upper, weights = _lines(size, zoom, images.device)
        weights = weights.view((-1, 1) if dim == 2 else (-1,))
        layer = torch.lerp(layer.index_select(dim, lower), layer.index_select(dim, upper), weights)
    return layer


@lru_cache(maxsize=64)
def _lines(size: int, zoom: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Each magnified line lies between a lower and an upper one, the share of a weight of the way: all three [size]."""
    places, weights = zoomed_axis(size, zoom)
    lower, upper = torch.from_numpy(places).to(device)
    return lower, upper, torch.from_numpy(weights[1].astype(np.float32)).to(device)
