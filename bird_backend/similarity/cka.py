"""Centred kernel alignment: HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)) (Kornblith 2019, eq. 3; debiased: Nguyen 2021).

Every form computes in float32 or better, whatever the input and autocast. A representation without variance has CKA 0
and zero gradient: nothing is known of its geometry, and a training step goes on.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from bird_backend.errors import InputError
from bird_backend.similarity.gram import centre, feature_scale, rbf_gram
from bird_backend.similarity.hsic import Estimator, check_count, hsic_of_features, hsic_of_grams

__all__ = ["Estimator", "Kernel", "MinibatchCKA", "cka", "cka_loss", "cka_null"]

Kernel = Literal["linear", "rbf"]

_NEGLIGIBLE = 1e-10
"""HSIC(X, X) of features at unit scale below which there is no geometry to compare."""


def cka(
    X: Tensor,
    Y: Tensor,
    *,
    kernel: Kernel = "linear",
    estimator: Estimator = "debiased",
    bandwidth: float = 1.0,
) -> Tensor:
    """CKA of X [n, p] and Y [n, q], rows of the same n images in the same order; a differentiable scalar.

    Biased lies in [0, 1] and is inflated where n is small against the width; debiased is about 0 for unrelated
    representations and can fall below. Raises `InputError` on shapes that don't match or too few images.
    """
    return _ratio(*_terms(X, Y, kernel=kernel, estimator=estimator, bandwidth=bandwidth))


def cka_loss(
    X: Tensor,
    Y: Tensor,
    *,
    kernel: Kernel = "linear",
    estimator: Estimator = "biased",
    bandwidth: float = 1.0,
) -> Tensor:
    """The representation loss 1 - CKA (BIRD, eq. 1)."""
    return 1 - cka(X, Y, kernel=kernel, estimator=estimator, bandwidth=bandwidth)


def cka_null(
    X: Tensor,
    Y: Tensor,
    *,
    kernel: Kernel = "linear",
    estimator: Estimator = "debiased",
    bandwidth: float = 1.0,
    shuffles: int = 10,
    generator: torch.Generator | None = None,
) -> float:
    """What CKA these features give when they have nothing to do with each other: its mean over shuffles of Y's rows."""
    generator = generator or torch.Generator().manual_seed(0)
    total = 0.0
    for _ in range(shuffles):
        order = torch.randperm(len(Y), generator=generator).to(Y.device)
        total += float(cka(X, Y[order], kernel=kernel, estimator=estimator, bandwidth=bandwidth))
    return total / shuffles


class MinibatchCKA:
    """CKA of a data set too large for one batch: the three HSIC terms are averaged over batches, then divided.

    With the debiased estimator the expectation does not depend on the batch size (Nguyen 2021, §3.1).
    """

    def __init__(self, *, kernel: Kernel = "linear", estimator: Estimator = "debiased", bandwidth: float = 1.0) -> None:
        self._kernel = kernel
        self._estimator: Estimator = estimator
        self._bandwidth = bandwidth
        self._scales: tuple[Tensor, Tensor] | None = None
        self._sums: tuple[Tensor, Tensor, Tensor] | None = None
        self.batches = 0
        self.images = 0

    @torch.no_grad()
    def update(self, X: Tensor, Y: Tensor) -> None:
        """Add a batch X [n, p], Y [n, q]."""
        if self._scales is None:
            # One scale for all batches, or the average would weigh each by its own.
            self._scales = feature_scale(centre(X)), feature_scale(centre(Y))
        terms = _terms(
            X,
            Y,
            kernel=self._kernel,
            estimator=self._estimator,
            bandwidth=self._bandwidth,
            scales=self._scales,
        )
        self._sums = terms if self._sums is None else tuple(map(torch.add, self._sums, terms))  # type: ignore[assignment]
        self.batches += 1
        self.images += len(X)

    def compute(self) -> float:
        """The CKA of all batches so far; an `InputError` before the first."""
        if self._sums is None:
            raise InputError("Minibatch CKA has seen no batch yet.")
        xy, xx, yy = (term / self.batches for term in self._sums)
        return float(_ratio(xy, xx, yy))


def _terms(
    X: Tensor,
    Y: Tensor,
    *,
    kernel: Kernel,
    estimator: Estimator,
    bandwidth: float,
    scales: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """HSIC(X, Y), HSIC(X, X), HSIC(Y, Y)."""
    if kernel not in ("linear", "rbf"):
        raise InputError(f"Unknown kernel {kernel!r}: valid: linear, rbf.")
    if estimator not in ("biased", "debiased"):
        raise InputError(f"Unknown estimator {estimator!r}: valid: biased, debiased.")
    if len(X) != len(Y):
        raise InputError(f"CKA compares representations of the same images; these are of {len(X)} and of {len(Y)}.")
    check_count(len(X), estimator)
    with torch.autocast(X.device.type, enabled=False):
        if kernel == "rbf":
            K, L = rbf_gram(X, bandwidth), rbf_gram(Y, bandwidth)
            return hsic_of_grams(K, L, estimator), hsic_of_grams(K, K, estimator), hsic_of_grams(L, L, estimator)
        X, Y = centre(X), centre(Y)
        x_scale, y_scale = scales or (feature_scale(X), feature_scale(Y))
        dtype = torch.promote_types(X.dtype, Y.dtype)
        X, Y = (X / x_scale).to(dtype), (Y / y_scale).to(dtype)
        n, p, q = len(X), X.shape[1], Y.shape[1]
        if n * (p + q) <= p * q + p * p + q * q:
            K, L = X @ X.T, Y @ Y.T
            return hsic_of_grams(K, L, estimator), hsic_of_grams(K, K, estimator), hsic_of_grams(L, L, estimator)
        return hsic_of_features(X, Y, estimator), hsic_of_features(X, X, estimator), hsic_of_features(Y, Y, estimator)


def _ratio(xy: Tensor, xx: Tensor, yy: Tensor) -> Tensor:
    known = (xx > _NEGLIGIBLE) & (yy > _NEGLIGIBLE)
    # The inner `where` keeps the square root away from zero, so that no NaN reaches the gradient of the outer one.
    denominator = (
        torch.where(known, xx, torch.ones_like(xx)).sqrt() * torch.where(known, yy, torch.ones_like(yy)).sqrt()
    )
    return torch.where(known, xy / denominator, torch.zeros_like(xy))
