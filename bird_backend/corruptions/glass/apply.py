"""Glass blur: pixels exchanged with near ones, one after the other, between two Gaussian blurs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bird_backend.corruptions.draws import random_words
from bird_backend.corruptions.levels import to_levels
from bird_backend.corruptions.linear import as_images, as_pixels, smooth

__all__ = ["glass_blur"]


@torch.no_grad()
def glass_blur(
    images: Tensor, generator: torch.Generator, *, sigma: float, reach: int, passes: int, faithful: bool = False
) -> Tensor:
    """Blurred, cut down to whole levels, its pixels `passes` times moved by up to `reach`, and blurred again.

    `faithful` copies the near pixel and leaves it as it was, which is what the published script does where it means to
    swap the two.
    """
    batch, channels, height, width = images.shape
    blurred = smooth(as_pixels(images), height, width, sigma)
    levels = to_levels(blurred).to(torch.int32).view(height * width, channels, batch)
    # The three colours of a pixel move together, as one word.
    packed = levels[:, 0].bitwise_left_shift(16).add_(levels[:, 1], alpha=1 << 8).add_(levels[:, 2])
    route = _route(height, width, reach, images.device)
    for _ in range(passes):
        _shuffle(packed, _near_places(route, batch, generator), route.fronts, faithful)
    torch.bitwise_right_shift(packed, 16, out=levels[:, 0])
    torch.bitwise_right_shift(packed, 8, out=levels[:, 1]).bitwise_and_(255)
    torch.bitwise_and(packed, 255, out=levels[:, 2])
    shuffled = levels.to(torch.float32).div_(255).view(height * width, channels * batch)
    return as_images(smooth(shuffled, height, width, sigma), images.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Route:
    """The order in which the pixels are visited, and how far off the near one may lie."""

    fronts: tuple[slice, ...]
    """Pixels visited at the same time."""
    order: Tensor
    """All their numbers, front by front [N,1]."""
    moves: Tensor
    """What may be added to a pixel's number, all equally likely."""


def _near_places(route: _Route, batch: int, generator: torch.Generator) -> Tensor:
    """For each visit [N] and each image [B] the place of the near pixel among words [H*W, B], laid flat."""
    choices = random_words((len(route.order), batch), generator).bitwise_and_(0xFFFF)
    choices = choices.mul_(len(route.moves)).bitwise_right_shift_(16).view(-1)
    pixels = route.moves.index_select(0, choices).view(-1, batch).add_(route.order)
    return pixels.mul_(batch).add_(torch.arange(batch, device=pixels.device))


def _shuffle(packed: Tensor, near_places: Tensor, fronts: tuple[slice, ...], faithful: bool) -> None:
    """One pass over words of pixels [H*W, B], in place."""
    flat = packed.view(-1)
    done = 0
    for front in fronts:
        visited = packed[front]
        places = near_places[done : done + len(visited)].view(-1)
        done += len(visited)
        arriving = flat.index_select(0, places).view(visited.shape)
        if not faithful:
            flat.scatter_(0, places, visited.clone().view(-1))
        visited.copy_(arriving)


@lru_cache(maxsize=32)
def _route(height: int, width: int, reach: int, device: torch.device) -> _Route:
    """The published order, from the lower right to the left and line by line up, in as few fronts as keep its outcome.

    What the pixels of one front and their near ones touch never overlaps, and if a pixel may touch what another does,
    the one that comes first in the script lies in an earlier front.
    """
    first, last_row, last_column = reach + 1, height - reach, width - reach
    skew = 2 * reach
    fronts = []
    for front in range(skew * last_row + last_column, (skew + 1) * first - 1, -1):
        top = max(first, -((last_column - front) // skew))
        bottom = min(last_row, (front - first) // skew)
        if top <= bottom:
            step = width - skew  # a line down, and `skew` to the left
            fronts.append(slice(front + top * step, front + bottom * step + 1, step))
    numbers = np.arange(height * width)
    order = np.concatenate([numbers[front] for front in fronts] or [numbers[:0]])
    steps = np.arange(-reach, reach)
    return _Route(
        fronts=tuple(fronts),
        order=torch.from_numpy(order)[:, None].to(device),
        moves=torch.from_numpy(np.add.outer(steps * width, steps).reshape(-1)).to(device),
    )
