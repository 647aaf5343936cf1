"""What a training step does to its images: shift and mirror them, or corrupt them too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bird_backend.corruptions.applying import random_corruptions
from bird_backend.datasets import augment
from bird_backend.specs import Training
from bird_backend.training import Transform

__all__ = ["clean", "corrupting"]


def clean(training: Training) -> Transform:
    """Shifts and mirrors, where the spec asks for them."""

    def transform(images: Tensor, generator: torch.Generator, _: torch.Generator) -> Tensor:
        return augment(images, generator) if training.augment else images

    return transform


def corrupting(training: Training, corruptions: Sequence[str]) -> Transform:
    """Then one of `corruptions` an image, at a severity from 0 to 5, as a robust teacher is trained (BIRD §4)."""
    first, names = clean(training), tuple(corruptions)

    def transform(images: Tensor, generator: torch.Generator, cpu_generator: torch.Generator) -> Tensor:
        images = first(images, generator, cpu_generator)
        return random_corruptions(images, names, generator=generator, cpu_generator=cpu_generator)

    return transform
