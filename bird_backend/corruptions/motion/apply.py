"""Motion blur along a line per image, as ImageMagick 6 draws it: a one-sided Gaussian over whole-pixel steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["blur_along", "motion_blur"]

_HALF_STEP = 0.5 / 257
"""ImageMagick rounds to 16 bits, 257 steps a level, and then cuts down to 8."""
_PIECE = 2**20
"""Padded values worked on at once, so that a CPU keeps them in its cache."""


def motion_blur(images: Tensor, generator: torch.Generator, *, radius: float, sigma: float) -> Tensor:
    """Smeared along a line of its own for each image, at most 45 degrees from the horizontal; on whole levels."""
    turn = torch.rand(len(images), generator=generator, device=images.device, dtype=torch.float64)
    return blur_along(images.mul(255).round_(), radius, sigma, turn.mul_(90).sub_(45)).div_(255)


@torch.no_grad()
def blur_along(levels: Tensor, radius: float, sigma: float, degrees: Tensor) -> Tensor:
    """Whole levels 0 to 255 [B,C,H,W] as new whole levels, smeared along `degrees` [B], clockwise from the right.

    Each pixel becomes a mean of the `2 * ceil(radius)` that follow it along its line and itself; the border repeats.
    """
    batch, channels, height, width = levels.shape
    weights = _weights(radius, sigma)
    reach = len(weights) - 1
    rows, columns = height + 2 * reach, width + 2 * reach

    angle = degrees.to(torch.float64).deg2rad()
    steps = torch.arange(len(weights), device=levels.device, dtype=torch.float64)
    right, down = ((steps[:, None] * side - 0.5).ceil_().long() for side in (angle.cos(), angle.sin()))
    offsets = (reach + down) * columns + reach + right  # (taps, B)

    result = levels.new_zeros(levels.shape)
    images = max(1, _PIECE // (channels * rows * columns))
    for start in range(0, batch, images):
        piece = slice(start, start + images)
        padded = functional.pad(levels[piece], (reach,) * 4, mode="replicate").reshape(-1)
        # Every run of one row's length in the padded values: a shifted row is copied whole, and nothing is gathered.
        runs = padded.as_strided((len(padded) - width + 1, width), (1, 1))
        total = result[piece].view(-1, width)
        shifted = torch.empty_like(total)
        planes = torch.arange(len(total) // height, device=levels.device).view(-1, channels, 1)
        firsts = (planes * rows + torch.arange(height, device=levels.device)) * columns
        for offset, weight in zip(offsets[:, piece, None, None], weights, strict=True):
            places = (firsts + offset).view(-1)
            torch.index_select(runs, 0, places, out=shifted)
            total.add_(shifted, alpha=weight)
        total.add_(_HALF_STEP).floor_()
    return result


def _weights(radius: float, sigma: float) -> list[float]:
    """The Gaussian's half, without a tail too light to be seen in a 16-bit sum."""
    weights = [math.exp(-0.5 * (step / sigma) ** 2) for step in range(2 * math.ceil(radius) + 1)]
    tail = math.fsum(weights) * _HALF_STEP / 255
    while weights[-1] < tail:
        tail -= weights.pop()
    total = math.fsum(weights)
    return [weight / total for weight in weights]
