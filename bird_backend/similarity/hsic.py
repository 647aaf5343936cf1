"""The Hilbert-Schmidt independence criterion of two representations of n images, biased (Gretton 2005) and debiased.

The debiased one is HSIC_1 of Song 2012, eq. 5, with the diagonals of K and L set to zero; n must be above 3. Each comes
in a Gram form, O(n²(p + q)), and for linear kernels in a feature form, O(npq): the same number, whichever is cheaper.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from bird_backend.errors import InputError

__all__ = ["Estimator", "check_count", "hsic_of_features", "hsic_of_grams"]

Estimator = Literal["biased", "debiased"]


def check_count(n: int, estimator: Estimator) -> None:
    """An `InputError` where `n` images are too few for the estimator."""
    least = 4 if estimator == "debiased" else 2
    if n < least:
        raise InputError(f"{estimator.capitalize()} HSIC needs at least {least} images in a batch, not {n}.")


def hsic_of_grams(K: Tensor, L: Tensor, estimator: Estimator) -> Tensor:
    """HSIC of two Gram matrices [n, n], a scalar."""
    n = len(K)
    check_count(n, estimator)
    if estimator == "biased":
        centred = K - K.mean(dim=0, keepdim=True) - K.mean(dim=1, keepdim=True) + K.mean()
        return (centred * L).sum() / (n - 1) ** 2
    K = K - K.diagonal().diag_embed()
    L = L - L.diagonal().diag_embed()
    return _debiased((K * L).sum(), K.sum(dim=1), L.sum(dim=1))


def hsic_of_features(X: Tensor, Y: Tensor, estimator: Estimator) -> Tensor:
    """HSIC with linear kernels of column-centred X [n, p] and Y [n, q], a scalar; no [n, n] matrix is made."""
    n = len(X)
    check_count(n, estimator)
    product = (X.T @ Y).square().sum()
    if estimator == "biased":
        return product / (n - 1) ** 2
    x, y = X.square().sum(dim=1), Y.square().sum(dim=1)
    # The rows of K sum to X(X'1) = 0 for centred X, so without the diagonal they sum to its negative.
    return _debiased(product - (x * y).sum(), -x, -y)


def _debiased(trace: Tensor, k: Tensor, l: Tensor) -> Tensor:  # noqa: E741 - L's row sums
    """HSIC_1 from tr(KL) and the row sums K1, L1 [n] of the matrices without their diagonals."""
    n = len(k)
    ones = k.sum() * l.sum() / ((n - 1) * (n - 2))
    return (trace + ones - 2 / (n - 2) * (k @ l)) / (n * (n - 3))
