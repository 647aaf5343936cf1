"""Digital corruptions: what processing and storing does to an image."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.corruptions.separable import box_resize

__all__ = ["contrast", "pixelate"]

_HAIR = 1e-3
"""Of a level: half levels are rounded up even where float32 leaves them a little low."""


def contrast(images: Tensor, _generator: torch.Generator, *, kept: float) -> Tensor:
    """Every value drawn towards the mean of its image and channel."""
    mean = images.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(mean, images, kept)


def pixelate(images: Tensor, _generator: torch.Generator, *, share: float) -> Tensor:
    """Shrunk to `share` of each side and enlarged again, as Pillow's BOX filter does on bytes.

    Pillow resizes horizontally, then vertically, and rounds to whole levels after each.
    """
    height, width = images.shape[-2:]
    levels = images.mul(255).round_()
    for size, dim in ((width, 3), (height, 2)):
        levels = box_resize(levels, max(int(size * share), 1), dim=dim)
        levels.add_(0.5 + _HAIR).floor_()
    for size, dim in ((width, 3), (height, 2)):
        levels = box_resize(levels, size, dim=dim)
    return levels.div_(255)
