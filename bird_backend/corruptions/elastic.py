"""The elastic corruption: the image tilted by a random affine map, then stretched and squeezed from place to place."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

__all__ = ["elastic_transform"]


def elastic_transform(
    images: Tensor, generator: torch.Generator, *, amplitude: float, sigma: float, tilt: float
) -> Tensor:
    """Three points moved by up to `tilt`, then every pixel by smooth noise; all lengths are shares of the shorter side.

    Two bilinear resamplings, as published, not one of the composed map: each blurs a little.
    """
    side = min(images.shape[-2:])
    tilted = _resample(images, _affine_grid(images, generator, tilt * side), mirror_edges=False)
    if not amplitude:
        return tilted
    return _resample(tilted, _displaced_grid(images, generator, amplitude * side, sigma * side), mirror_edges=True)


def _resample(images: Tensor, grid: Tensor, *, mirror_edges: bool) -> Tensor:
    """Bilinear samples at `grid` [B,H,W,2], mirrored at the outermost pixels' centres or, if asked, at their edges."""
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=not mirror_edges)


def _affine_grid(images: Tensor, generator: torch.Generator, reach: float) -> Tensor:
    """Where each pixel comes from when three points around the centre move by up to `reach` pixels along x and y."""
    batch, _, height, width = images.shape
    device = images.device
    points = _points(height, width, device)
    moves = torch.rand((batch, 3, 2), generator=generator, device=device).mul_(2 * reach).sub_(reach)
    from_x, from_y = _affine_through(points + moves, points)
    x, y = _ramp(width, device), _ramp(height, device)[:, None]
    columns = from_x[0] * x + (from_x[1] * y + from_x[2])
    rows = from_y[0] * x + (from_y[1] * y + from_y[2])
    # Where a side is one pixel long, every place on it is that pixel.
    return torch.stack((columns * (2 / max(width - 1, 1)) - 1, rows * (2 / max(height - 1, 1)) - 1), dim=-1)


def _affine_through(points: Tensor, targets: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(a, b, c) with target = a x + b y + c, for both coordinates: Cramer's rule on three `points` [B,3,2]."""
    first, side, other = points[:, 0], points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    determinant = side[:, 0] * other[:, 1] - side[:, 1] * other[:, 0]
    determinant = torch.where(determinant == 0, 1, determinant)
    maps = []
    for target in targets.unbind(-1):
        along, across = target[1] - target[0], target[2] - target[0]
        a = (along * other[:, 1] - across * side[:, 1]) / determinant
        b = (across * side[:, 0] - along * other[:, 0]) / determinant
        c = target[0] - a * first[:, 0] - b * first[:, 1]
        maps.append(tuple(value.view(-1, 1, 1) for value in (a, b, c)))
    return maps[0], maps[1]


def _displaced_grid(images: Tensor, generator: torch.Generator, amplitude: float, sigma: float) -> Tensor:
    """Each pixel's own place plus uniform noise in ±`amplitude`, smoothed by a Gaussian of `sigma` pixels."""
    batch, _, height, width = images.shape
    device = images.device
    noise = torch.rand((batch, 2, height, width), generator=generator, device=device).mul_(2).sub_(1)
    with torch.autocast(device.type, enabled=False):
        smooth = _gaussian(height, sigma, device) @ (noise @ _gaussian(width, sigma, device).T)
    columns = smooth[:, 0].mul_(amplitude).add_(_ramp(width, device))
    rows = smooth[:, 1].mul_(amplitude).add_(_ramp(height, device)[:, None])
    return torch.stack(((columns * 2 + 1) / width - 1, (rows * 2 + 1) / height - 1), dim=-1)


@lru_cache(maxsize=64)
def _points(height: int, width: int, device: torch.device) -> Tensor:
    """(x, y) of the three points [3,2]. The published script takes x from the height and y from the width."""
    x, y, reach = height // 2, width // 2, min(height, width) // 3
    points = [[x + reach, y + reach], [x + reach, y - reach], [x - reach, y - reach]]
    return torch.tensor(points, dtype=torch.float32).to(device)


@lru_cache(maxsize=64)
def _ramp(size: int, device: torch.device) -> Tensor:
    return torch.arange(size, dtype=torch.float32, device=device)


@lru_cache(maxsize=64)
def _gaussian(size: int, sigma: float, device: torch.device) -> Tensor:
    """[size,size]: row i has the weights of smoothed pixel i; cut off at 3 σ, mirrored at the image's edges."""
    radius = int(3 * sigma + 0.5)
    weights = np.array([math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)])
    weights /= weights.sum()
    matrix = np.zeros((size, size), dtype=np.float64)
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        place = (np.arange(size) + offset) % (2 * size)
        np.add.at(matrix, (np.arange(size), np.minimum(place, 2 * size - 1 - place)), weight)
    return torch.from_numpy(matrix.astype(np.float32)).to(device)
