"""Spatter: drops of water that glisten at their rims, or mud."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bird_backend.corruptions.edges import UNIT, bordered, box_sum, canny, distance_to
from bird_backend.corruptions.linear import smooth

__all__ = ["gloss", "spatter"]

_WATER = (175, 238, 238)
_MUD = (63, 42, 20)
_FAR = 20
"""Pixels: where published distances end."""
_FAR_IN_SMALL_DROPS = 7
"""Only distances in and beside drops are used, and where noise was smoothed by a pixel or less, none is so wide."""


def spatter(
    images: Tensor,
    generator: torch.Generator,
    *,
    mean: float,
    deviation: float,
    sigma: float,
    threshold: float,
    weight: float,
    mud: float,
) -> Tensor:
    """Drops where normal noise, smoothed by `sigma`, is above `threshold`: water of that `weight`, or opaque mud.

    Mud has soft rims, `weight` pixels wide. An image on which no drop fell stays as it was (published: turns black).
    """
    height, width = images.shape[-2:]
    liquid = torch.randn((height, width, len(images)), generator=generator, device=images.device)
    liquid = _smooth(liquid.mul_(deviation).add_(mean), sigma)
    if mud:
        cover = functional.threshold(_smooth(liquid.gt_(threshold), weight), 0.8, 0, inplace=True)
    else:
        drops = functional.threshold(liquid, threshold, 0, inplace=True).mul_(255).clamp_(max=255).floor_()
        cover = gloss(drops, _FAR if sigma > 1 else _FAR_IN_SMALL_DROPS).mul_(drops)
        cover.mul_(weight / cover.amax(dim=(0, 1)).clamp_min_(1))
    cover = cover.permute(2, 0, 1).contiguous()
    result = images * (1 - cover[:, None]) if mud else images.clone()
    for channel, level in enumerate(_MUD if mud else _WATER):
        result[:, channel].add_(cover, alpha=level / 255)
    return result


def gloss(drops: Tensor, far: int = _FAR) -> Tensor:
    """How strongly water shines, 0 to 255, from whole levels [H,W,B] that are 0 where there is none.

    No drop is wider than `far` pixels, or as far as distances are told apart.
    """
    edges = canny(drops.to(torch.int16), 50, 150)
    distance = box_sum(distance_to(edges, far)).add_(0.5).div_(9 * UNIT).floor_()
    around = bordered(_equalised(distance, far).to(torch.int16))
    relief = (around[1:-1, 1:-1] + around[1:-1, 2:]).add_(around[2:, 1:-1]).add_(around[2:, 2:], alpha=2)
    relief.sub_(around[:-2, :-2], alpha=2).sub_(around[:-2, 1:-1]).sub_(around[1:-1, :-2])
    return box_sum(relief.clamp_(0, 255)).to(torch.float32).div_(9).round_()


def _equalised(values: Tensor, top: int) -> Tensor:
    """`cv2.equalizeHist` of each picture of whole values from 0 to `top`, [H,W,B]."""
    mask = torch.empty_like(values)
    size = float(values.shape[0] * values.shape[1])
    counts = [size - torch.gt(values, level, out=mask).sum(dim=(0, 1)) for level in range(top)]
    up_to = torch.stack([*counts, torch.full_like(values[0, 0], size)])
    first = torch.where(up_to > 0, up_to, size).amin(dim=0)
    # A number over a tensor would be its reciprocal times the number, which can come out on the other side of a half.
    scale = torch.full_like(first, 255).div_((size - first).clamp_min_(1))
    shades = (up_to - first).clamp_min_(0).mul_(scale).round_()
    # A picture of one value only stays as it is.
    lowest = torch.where(first == size, values[0, 0], shades[0])
    result = lowest.expand_as(values).clone()
    for level, step in enumerate(shades.diff(dim=0)):
        result.addcmul_(torch.gt(values, level, out=mask), step)
    return result


def _smooth(values: Tensor, sigma: float) -> Tensor:
    height, width, batch = values.shape
    return smooth(values.view(height * width, batch), height, width, sigma).view(values.shape)
