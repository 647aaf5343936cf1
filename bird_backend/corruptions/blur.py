"""Blur: each pixel mixed with its neighbourhood."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.corruptions.separable import apply, gaussian_taps

__all__ = ["gaussian_blur"]


def gaussian_blur(images: Tensor, sigma: float, _generator: torch.Generator) -> Tensor:
    """A Gaussian of `sigma` pixels, channel by channel."""
    height, width = images.shape[-2:]
    blurred = apply(images, gaussian_taps(height, sigma, images.device), dim=2)
    return apply(blurred, gaussian_taps(width, sigma, images.device), dim=3)
