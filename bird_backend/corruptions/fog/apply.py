"""Fog: a plasma fractal of light, laid over the image while its contrast is taken away."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["fog"]


def fog(images: Tensor, generator: torch.Generator, *, amount: float, decay: float) -> Tensor:
    """`amount` times a plasma fractal added, and all drawn back to the brightest value the image had."""
    size = 1 << (max(images.shape[-2:]) - 1).bit_length()
    haze = _plasma(len(images), size, decay, generator)[:, None, : images.shape[-2], : images.shape[-1]]
    brightest = images.amax(dim=(1, 2, 3), keepdim=True)
    return torch.add(images, haze, alpha=amount).mul_(brightest / (brightest + amount))


def _plasma(count: int, size: int, decay: float, generator: torch.Generator) -> Tensor:
    """`count` diamond-square fractals [count, size, size] that wrap around, each stretched from 0 to 1.

    Each point is the mean of its four neighbours on the coarser grid plus a uniform draw of its level's width. Draws
    come first and the means are added to them, with the batch innermost, where everything is contiguous.
    """
    plane = torch.rand((size, size, count), generator=generator, device=generator.device)
    plane.sub_(0.5).mul_(_widths(size, decay, generator.device))
    step = size
    while step > 1:
        half = step // 2
        corners, centres = plane[::step, ::step], plane[half::step, half::step]
        right, above = plane[::step, half::step], plane[half::step, ::step]
        pairs = corners + corners.roll(-1, 0)
        centres.add_(pairs + pairs.roll(-1, 1), alpha=0.25)
        across, down = corners + corners.roll(-1, 1), centres + centres.roll(1, 0)
        right.add_(across.add_(down), alpha=0.25)
        above.add_(pairs.add_(centres).add_(centres.roll(1, 1)), alpha=0.25)
        step = half
    low, high = plane.amin(dim=(0, 1)), plane.amax(dim=(0, 1))
    return plane.sub_(low).div_((high - low).clamp_min_(torch.finfo(plane.dtype).tiny)).permute(2, 0, 1).contiguous()


@lru_cache(maxsize=64)
def _widths(size: int, decay: float, device: torch.device) -> Tensor:
    """How wide each point's draw is [size, size, 1]: 1 on the first level, 1/decay² of that on the next, 0 at (0, 0).

    The published amplitude is a factor times a uniform draw that is already as wide as the factor: so the square.
    """
    widths = np.zeros((size, size, 1), dtype=np.float32)
    step, width = size, 1.0
    while step > 1:
        half = step // 2
        for rows, columns in ((half, half), (0, half), (half, 0)):
            widths[rows::step, columns::step] = width
        step, width = half, width / decay**2
    return torch.from_numpy(widths).to(device)
