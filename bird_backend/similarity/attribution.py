"""Whose agreement a CKA is made of: linear CKA as a sum over images, exactly.

CKA is Σ_ij K_ij L_ij / (‖K‖ ‖L‖) of Gram matrices that are centred, for the debiased estimate U-centred: without their
diagonals, rows of those summing to zero (Székely & Rizzo 2014, eq. 3.1; the same number as HSIC_1, Song 2012, eq. 5).
An image's share is its row of that sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bird_backend.errors import InputError
from bird_backend.similarity.gram import centre, feature_scale
from bird_backend.similarity.hsic import Estimator, check_count

__all__ = ["Shares", "cka_shares"]

_NEGLIGIBLE = 1e-10
"""‖K‖² / n² of features at unit scale below which there is no geometry to compare, as in `cka`."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of n images, float64 [n] each: what they add to a CKA, and how far they agree whatever they weigh in it.

    `share` sums to the CKA. `agreement` is the cosine of an image's rows in the two matrices, in [-1, 1]: which images
    it resembles, and which it does not, by each network. A share is that cosine times the image's weight, which is
    large where both networks see it far from the average image.
    """

    share: Tensor
    agreement: Tensor


@torch.no_grad()
def cka_shares(X: Tensor, Y: Tensor, *, estimator: Estimator = "debiased") -> Shares:
    """Shares of linear CKA of X [n, p] and Y [n, q], rows of the same n images; zeros where one has no variance.

    In double precision where the device has it. Raises `InputError` on shapes that don't match or too few images.
    """
    if len(X) != len(Y):
        raise InputError(f"CKA compares representations of the same images; these are of {len(X)} and of {len(Y)}.")
    check_count(len(X), estimator)
    X, Y = (_ready(Z) for Z in (X, Y))
    xy, xx, yy = (_rows(*pair, estimator) for pair in ((X, Y), (X, X), (Y, Y)))
    known = min(float(xx.sum()), float(yy.sum())) > _NEGLIGIBLE * len(X) ** 2
    if not known:
        return Shares(share=torch.zeros_like(xy), agreement=torch.zeros_like(xy))
    whole = (xx.sum() * yy.sum()).sqrt()
    own = (xx.clamp_min(0) * yy.clamp_min(0)).sqrt()
    # An image in the very middle resembles none, so it can neither agree nor disagree.
    agreement = torch.where(own > _NEGLIGIBLE * whole / len(X), xy / own.clamp_min(torch.finfo(own.dtype).tiny), 0.0)
    return Shares(share=xy / whole, agreement=agreement.clamp(-1, 1))


def _ready(features: Tensor) -> Tensor:
    centred = centre(features if features.device.type == "mps" else features.double())
    return centred / feature_scale(centred)


def _rows(X: Tensor, Y: Tensor, estimator: Estimator) -> Tensor:
    """Σ_j A_ij B_ij [n] of the centred or U-centred Gram matrices A of X and B of Y, which are centred themselves."""
    products = _products(X, Y)
    if estimator == "biased":
        return products
    n = len(X)
    x, y = X.square().sum(dim=1), Y.square().sum(dim=1)
    # Without the diagonal, centred rows sum to its negative; K and L from here on have zeros there.
    k, l = -x, -y  # noqa: E741 - L's row sums
    # A_ij = K_ij − (k_i + k_j) / (n − 2) + Σk / ((n − 1)(n − 2)) for i ≠ j, whose rows sum to zero, so that of B_ij
    # only L_ij − l_j / (n − 2) counts.
    with_l = products - x * y - (k * l + _times(Y, k)) / (n - 2) + k.sum() * l / ((n - 1) * (n - 2))
    others = l.sum() - l
    with_sums = _times(X, l) - (k * others + (k @ l) - k * l) / (n - 2) + k.sum() * others / ((n - 1) * (n - 2))
    return with_l - with_sums / (n - 2)


def _products(X: Tensor, Y: Tensor) -> Tensor:
    """Σ_j (x_i·x_j)(y_i·y_j) [n], by way of whichever matrix is the smaller: n × n, or p × q."""
    n, p, q = len(X), X.shape[1], Y.shape[1]
    if n * n <= p * q:
        return ((X @ X.T) * (Y @ Y.T)).sum(dim=1)
    return ((X @ (X.T @ Y)) * Y).sum(dim=1)


def _times(X: Tensor, v: Tensor) -> Tensor:
    """The Gram matrix of X without its diagonal, times v [n]."""
    return X @ (X.T @ v) - X.square().sum(dim=1) * v
