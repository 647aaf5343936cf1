"""Corruptions of colour alone, in closed form: HSV's value or saturation changes, and no hue is ever computed."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["brightness", "saturate"]


def brightness(images: Tensor, _generator: torch.Generator, *, added: float) -> Tensor:
    """HSV's value raised by `added`, up to 1: the channels keep their proportions, and black becomes grey."""
    value = _largest(images)
    raised = (value + added).clamp(0, 1)
    black = value == 0
    scale = raised / torch.where(black, 1, value)
    return torch.addcmul(raised * black, images, scale)


def saturate(images: Tensor, _generator: torch.Generator, *, factor: float, added: float) -> Tensor:
    """HSV's saturation s made `factor` s + `added`, up to 1: the channels move away from the largest, or towards it.

    Greys have no hue; the published script gives them hue 0, so `added` tints them red.
    """
    value = _largest(images)
    depth = value - _smallest(images)
    grey = depth == 0
    inverse = torch.where(grey, 0, value / torch.where(grey, 1, depth))  # 1 / s
    ratio = torch.minimum(factor + added * inverse, inverse)
    result = torch.lerp(value, images, ratio)
    if added:
        result[:, 1:] -= value * added * grey
    return result


def _largest(images: Tensor) -> Tensor:
    red, green, blue = images.unbind(1)
    return torch.maximum(torch.maximum(red, green), blue)[:, None]


def _smallest(images: Tensor) -> Tensor:
    red, green, blue = images.unbind(1)
    return torch.minimum(torch.minimum(red, green), blue)[:, None]
