"""Centred kernel alignment: HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)) (Kornblith 2019, eq. 3; debiased: Nguyen 2021).

Every form computes in float32 or better, whatever the input and autocast. A representation without variance has CKA 0
and zero gradient: nothing is known of its geometry, and a training step goes on.
"""

from __future__ import annotations

import sys
from typing import Literal

import torch
from torch import Tensor

from bird_backend.errors import InputError
from bird_backend.similarity.gram import centre, feature_scale, median_distance, rbf_gram
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

    With the debiased estimator the expectation does not depend on the batch size (Nguyen 2021, §3.1). An RBF kernel has
    one bandwidth for all batches, of the first whose images are not all alike.
    """

    def __init__(self, *, kernel: Kernel = "linear", estimator: Estimator = "debiased", bandwidth: float = 1.0) -> None:
        self._kernel: Kernel = kernel
        self._estimator: Estimator = estimator
        self._bandwidth = bandwidth
        self._sums = [0.0, 0.0, 0.0]
        self._largest = [0.0, 0.0]
        self._medians: list[Tensor | None] = [None, None]
        self.batches = 0
        self.images = 0

    @torch.no_grad()
    def update(self, X: Tensor, Y: Tensor) -> None:
        """Add a batch X [n, p], Y [n, q]."""
        if self._kernel == "rbf":
            self._medians = [
                known if known is not None else _positive(median_distance(side))
                for known, side in zip(self._medians, (X, Y), strict=True)
            ]
        terms = _terms(
            X,
            Y,
            kernel=self._kernel,
            estimator=self._estimator,
            bandwidth=self._bandwidth,
            medians=(self._medians[0], self._medians[1]),
        )
        # Each batch is worked out at its own scale, within float32, and weighed by it in double precision.
        x, y = (1.0, 1.0) if self._kernel == "rbf" else (float(feature_scale(centre(side))) ** 2 for side in (X, Y))
        self._sums = [
            total + weight * float(term)
            for total, term, weight in zip(self._sums, terms, (x * y, x * x, y * y), strict=True)
        ]
        self._largest = [max(self._largest[0], x), max(self._largest[1], y)]
        self.batches += 1
        self.images += len(X)

    def compute(self) -> float:
        """The CKA of all batches so far; an `InputError` before the first."""
        if not self.batches:
            raise InputError("Minibatch CKA has seen no batch yet.")
        x, y = self._largest
        units = (x * y, x * x, y * y)
        xy, xx, yy = (
            torch.tensor(total / self.batches / max(unit, sys.float_info.min), dtype=torch.float64)
            for total, unit in zip(self._sums, units, strict=True)
        )
        return float(_ratio(xy, xx, yy))


def _positive(median: Tensor) -> Tensor | None:
    return median if bool(median > 0) else None


def _terms(
    X: Tensor,
    Y: Tensor,
    *,
    kernel: Kernel,
    estimator: Estimator,
    bandwidth: float,
    medians: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor, Tensor]:
    """HSIC(X, Y), HSIC(X, X), HSIC(Y, Y), for a linear kernel of features at unit scale."""
    if kernel not in ("linear", "rbf"):
        raise InputError(f"Unknown kernel {kernel!r}: valid: linear, rbf.")
    if estimator not in ("biased", "debiased"):
        raise InputError(f"Unknown estimator {estimator!r}: valid: biased, debiased.")
    if len(X) != len(Y):
        raise InputError(f"CKA compares representations of the same images; these are of {len(X)} and of {len(Y)}.")
    check_count(len(X), estimator)
    with torch.autocast(X.device.type, enabled=False):
        if kernel == "rbf":
            K, L = (rbf_gram(Z, bandwidth, median=median) for Z, median in zip((X, Y), medians, strict=True))
            return hsic_of_grams(K, L, estimator), hsic_of_grams(K, K, estimator), hsic_of_grams(L, L, estimator)
        X, Y = centre(X), centre(Y)
        dtype = torch.promote_types(X.dtype, Y.dtype)
        X, Y = ((Z / feature_scale(Z)).to(dtype) for Z in (X, Y))
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
