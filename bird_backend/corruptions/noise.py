"""Noise: each pixel and colour disturbed on its own."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["gaussian_noise"]


def gaussian_noise(images: Tensor, generator: torch.Generator, *, deviation: float) -> Tensor:
    """Independent normal noise of standard `deviation`."""
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return noise.mul_(deviation).add_(images)
