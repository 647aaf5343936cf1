"""How a layer's features lie on clean training images: what standardises them, and each one's sign for each class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bird_backend.errors import InputError

__all__ = ["Scale", "class_means", "scale_of"]

_FLAT = 1e-6
"""A standard deviation, as a share of the feature's largest value, below which it is constant but for rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale:
    """Of d features over training images of K classes."""

    mean: Tensor
    """[d]"""
    deviation: Tensor
    """[d]; 1 for a constant feature, which standardised is 0 everywhere."""
    constant: Tensor
    """Bool [d]"""
    lean: Tensor
    """float [K, d]: 1 where a feature is larger in the class than elsewhere, as its correlation's sign, else -1."""
    known: Tensor
    """Bool [K]: whether there are images of the class and of others."""

    def standardise(self, features: Tensor) -> Tensor:
        """Raw features [n, d] at mean 0 and deviation 1 over the training images; constant ones are 0."""
        scaled = (features - self.mean) / self.deviation
        return torch.where(self.constant, torch.zeros_like(scaled), scaled)


def scale_of(features: Tensor, labels: Tensor, classes: int) -> Scale:
    """Of raw features [n, d] of clean training images with labels [n]; no images are an `InputError`."""
    if len(features) == 0:
        raise InputError("Features can't be standardised without a training image.")
    exact = features.double() if features.device.type != "mps" else features.float()
    mean = exact.mean(0)
    centred = exact - mean
    deviation = centred.square().mean(0).sqrt()
    constant = deviation <= _FLAT * exact.abs().amax(0)
    counts = torch.bincount(labels, minlength=classes)
    sums = torch.zeros(classes, exact.shape[1], dtype=exact.dtype, device=exact.device).index_add_(0, labels, centred)
    # The classes' sums add up to 0, so a class's own has the sign of the difference from the others' mean.
    return Scale(
        mean=mean.to(features.dtype),
        deviation=torch.where(constant, torch.ones_like(deviation), deviation).to(features.dtype),
        constant=constant,
        lean=torch.where(sums < 0, -1.0, 1.0).to(features.dtype),
        known=(counts > 0) & (counts < len(labels)),
    )


def class_means(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """[K, d] of features [n, d]; zero where a class has no image."""
    counts = torch.bincount(labels, minlength=classes).clamp_min(1)
    sums = torch.zeros(classes, features.shape[1], dtype=features.dtype, device=features.device)
    return sums.index_add_(0, labels, features) / counts[:, None].to(features.dtype)
