"""Noise: each pixel and colour disturbed on its own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bird_backend.corruptions.draws import random_words
from bird_backend.corruptions.poisson import poisson_shares

__all__ = ["gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise"]


def gaussian_noise(images: Tensor, generator: torch.Generator, *, deviation: float) -> Tensor:
    """Independent normal noise of standard `deviation`."""
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return noise.mul_(deviation).add_(images)


def shot_noise(images: Tensor, generator: torch.Generator, *, photons: float) -> Tensor:
    """Light counted in grains, `photons` of them for full brightness."""
    return poisson_shares(images, generator, photons)


def impulse_noise(images: Tensor, generator: torch.Generator, *, share: float) -> Tensor:
    """A `share` of all values, colours apart, turned black or white with even odds."""
    chance = random_words(images.shape, generator).to(torch.float32).div_(2**31)
    pushed = functional.hardshrink(chance, 1 - share).sign_()
    return pushed.add_(images).clamp_(0, 1)


def speckle_noise(images: Tensor, generator: torch.Generator, *, deviation: float) -> Tensor:
    """Normal noise in proportion to the value it disturbs."""
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return noise.mul_(deviation).add_(1).mul_(images)
