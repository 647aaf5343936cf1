"""Blur: each pixel mixed with its neighbourhood."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.corruptions.separable import gaussian_smooth

__all__ = ["gaussian_blur"]


def gaussian_blur(images: Tensor, _generator: torch.Generator, *, sigma: float) -> Tensor:
    """A Gaussian of `sigma` pixels, channel by channel."""
    return gaussian_smooth(gaussian_smooth(images, sigma, dim=2), sigma, dim=3)
