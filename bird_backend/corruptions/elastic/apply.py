"""The elastic corruption: the image tilted by a random affine map, then stretched and squeezed from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from bird_backend.corruptions.draws import random_words

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
    grid = torch.empty((batch, height, width, 2), device=device)
    for axis, size, (a, b, c) in ((0, width, from_x), (1, height, from_y)):
        # From pixels to the grid's [-1,1]; where a side is one pixel long, every place on it is that pixel.
        scale = 2 / max(size - 1, 1)
        along = a * (_ramp(width, device) * scale)
        across = b * (_ramp(height, device)[:, None] * scale) + (c * scale - 1)
        torch.add(along, across, out=grid[..., axis])
    return grid


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
    # A word has 16 bits for each coordinate: as fine as displacements need, at a third of the time of as many floats.
    noise = random_words((batch * height, width), generator).view(torch.int16).to(torch.float32)
    smoothing = _smoothing(height, width, amplitude, sigma, images.device)
    with torch.autocast(images.device.type, enabled=False):
        rows = noise @ smoothing.along_rows
        both = smoothing.along_columns @ rows.view(batch, height, 2 * width)
    return both.view(batch, height, width, 2).add_(smoothing.places)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Smoothing:
    """From 16-bit noise [B,H,W,2] to a grid: `along_columns` @ noise @ `along_rows` + `places`, lines as [2 W]."""

    along_rows: Tensor
    along_columns: Tensor
    places: Tensor


@lru_cache(maxsize=64)
def _smoothing(height: int, width: int, amplitude: float, sigma: float, device: torch.device) -> _Smoothing:
    scales = amplitude / 2**15 * 2 / np.array([width, height])
    rows, columns = (np.arange(size) * 2 + 1 - size for size in (height, width))
    places = np.stack(np.broadcast_arrays(columns / width, rows[:, None] / height), axis=-1)

    def constant(values: npt.NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)

    return _Smoothing(
        along_rows=constant(np.kron(_gaussian(width, sigma).T, np.diag(scales))),
        along_columns=constant(_gaussian(height, sigma)),
        places=constant(places),
    )


def _gaussian(size: int, sigma: float) -> npt.NDArray[np.float64]:
    """[size,size]: row i has the weights of smoothed pixel i; cut off at 3 σ, mirrored at the image's edges."""
    radius = int(3 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((size, size))
    for offset, weight in zip(offsets, weights, strict=True):
        place = (np.arange(size) + offset) % (2 * size)
        np.add.at(matrix, (np.arange(size), np.minimum(place, 2 * size - 1 - place)), weight)
    return matrix


@lru_cache(maxsize=64)
def _points(height: int, width: int, device: torch.device) -> Tensor:
    """(x, y) of the three points [3,2]. The published script takes x from the height and y from the width."""
    x, y, reach = height // 2, width // 2, min(height, width) // 3
    points = [[x + reach, y + reach], [x + reach, y - reach], [x - reach, y - reach]]
    return torch.tensor(points, dtype=torch.float32).to(device)


@lru_cache(maxsize=64)
def _ramp(size: int, device: torch.device) -> Tensor:
    return torch.arange(size, dtype=torch.float32, device=device)
