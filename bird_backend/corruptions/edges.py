"""Edges and distances to them as OpenCV finds them, for many small pictures at once.

Pictures are innermost, [H, W, B], where every shifted view is contiguous. Truth is a number, 1 or 0, of the type that
was compared: on a CPU that is several times faster than bool, and multiplying by it than selecting.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["UNIT", "bordered", "box_sum", "canny", "distance_to"]

UNIT = 2**16
"""Of a distance: OpenCV's are whole 65536ths of a pixel. In float32, that is exact up to 256 pixels."""
_AXIS, _DIAGONAL, _KNIGHT = UNIT, round(1.4 * UNIT), round(2.1969 * UNIT)
_TANGENT = 13573 / 2**15
"""OpenCV's tangent of 22.5 degrees; that of 67.5 is larger by 2."""
_SPREADS = 8
"""Rounds in which strong edges spread to weak ones beside them."""


def canny(levels: Tensor, low: int, high: int) -> Tensor:
    """1 where `cv2.Canny(levels, low, high)` has edges, else 0: int16 [H, W, B], as is the input."""
    height, width, batch = levels.shape
    around = bordered(levels, repeat=True)
    wide, tall = around[:, 2:] - around[:, :-2], around[2:] - around[:-2]
    across = (wide[:-2] + wide[2:]).add_(wide[1:-1], alpha=2)
    down = (tall[:, :-2] + tall[:, 2:]).add_(tall[:, 1:-1], alpha=2)
    falling = (across ^ down).ge_(0)
    across.abs_()
    down.abs_()

    padded = levels.new_zeros((height + 2, width + 2, batch))
    here = padded[1:-1, 1:-1]
    torch.add(across, down, out=here)
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    above, below = padded[:-2, 1:-1], padded[2:, 1:-1]
    # Whole numbers: at least one more is more.
    across_peak = _not_below(here, torch.maximum(left + 1, right))
    down_peak = _not_below(here, torch.maximum(above + 1, below))
    falling_peak = _not_below(here, torch.maximum(padded[:-2, :-2], padded[2:, 2:]).add_(1))
    rising_peak = _not_below(here, torch.maximum(padded[:-2, 2:], padded[2:, :-2]).add_(1))

    exact_across, exact_down = across.to(torch.float32), down.to(torch.float32)
    flat = (exact_across * _TANGENT).gt_(exact_down).to(torch.int16)
    steep = exact_across.mul_(_TANGENT + 2).lt_(exact_down).to(torch.int16)
    peak = falling_peak.mul_(falling).add_(rising_peak.mul_(falling.bitwise_xor_(1)))
    peak.mul_((flat ^ 1).sub_(steep)).add_(across_peak.mul_(flat)).add_(down_peak.mul_(steep))

    weak = _not_below(here, low + 1).mul_(peak).to(torch.uint8)
    grown = weak.new_zeros((height + 2, width + 2, batch))
    strong = grown[1:-1, 1:-1]
    strong.copy_(_not_below(here, high + 1).mul_(peak))
    for _ in range(_SPREADS):
        rows = (grown[:-2] | grown[2:]).bitwise_or_(grown[1:-1])
        beside = (rows[:, :-2] | rows[:, 2:]).bitwise_or_(rows[:, 1:-1])
        strong.copy_(beside.bitwise_and_(weak))
    return strong.to(torch.int16)


def distance_to(edges: Tensor, limit: int) -> Tensor:
    """`cv2.distanceTransform(DIST_L2, 5)` to the nearest edge, cut off at `limit` pixels: float32 [H,W,B], `UNIT`s.

    A shortest path takes at most two of sixteen moves, and may take all of one before those of the other: so each kind
    of move is made on its own, in strides that add up to every number of moves within the limit.
    """
    height, width, batch = edges.shape
    strides_of = {length: _strides(limit * UNIT // length) for length in (_AXIS, _DIAGONAL, _KNIGHT)}
    margin = max(strides_of[_AXIS][-1], 2 * max(strides_of[_KNIGHT]))
    shape = (height + 2 * margin, width + 2 * margin, batch)
    padded = torch.full(shape, float(limit * UNIT), device=edges.device)
    here = padded[margin:-margin, margin:-margin]
    torch.mul(edges ^ 1, float(limit * UNIT), out=here)
    for length, moves in (
        (_AXIS, ((0, 1), (1, 0))),
        (_DIAGONAL, ((1, 1), (1, -1))),
        (_KNIGHT, ((1, 2), (2, 1), (2, -1), (1, -2))),
    ):
        for stride in strides_of[length]:
            places = [(margin + turn * y, margin + turn * x) for y, x in moves for turn in (stride, -stride)]
            views = [padded[y : y + height, x : x + width] for y, x in places]
            nearest = torch.minimum(views[0], views[1])
            for view in views[2:]:
                torch.minimum(nearest, view, out=nearest)
            torch.minimum(here, nearest.add_(length * stride), out=here)
    return here


def _strides(moves: int) -> tuple[int, ...]:
    """Few whole numbers of which some add up to any number of moves: 1, 2, 4, ... and what is left."""
    strides = []
    stride = 1
    while moves:
        strides.append(min(stride, moves))
        moves -= strides[-1]
        stride *= 2
    return tuple(sorted(strides))


def box_sum(values: Tensor) -> Tensor:
    """The sum of each 3 × 3 neighbourhood, [H, W, B]."""
    around = bordered(values)
    rows = (around[:-2] + around[2:]).add_(around[1:-1])
    return (rows[:, :-2] + rows[:, 2:]).add_(rows[:, 1:-1])


def bordered(values: Tensor, *, repeat: bool = False) -> Tensor:
    """One more line on each side, [H+2, W+2, B]: the border repeated, or else mirrored at it."""
    for dim in (0, 1):
        size = values.shape[dim]
        first, last = (0, size - 1) if repeat else (min(1, size - 1), max(size - 2, 0))
        values = torch.cat([values.narrow(dim, first, 1), values, values.narrow(dim, last, 1)], dim)
    return values


def _not_below(values: Tensor, bound: Tensor | int) -> Tensor:
    return torch.ge(values, bound, out=torch.empty_like(values))
