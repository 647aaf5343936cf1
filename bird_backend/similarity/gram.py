"""Features made ready, and Gram matrices of them: linear, and RBF with a median bandwidth (Kornblith 2019, §3)."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.errors import InputError

__all__ = ["centre", "centred_gram", "feature_scale", "linear_gram", "median_distance", "rbf_gram"]


def centre(features: Tensor) -> Tensor:
    """Columns of `features` [n, d] with mean zero, in float32 or better whatever came in.

    The first row is taken off before the mean, which changes nothing in exact arithmetic and keeps the digits of
    features that sit far from zero: constant columns come out as exact zeros.
    """
    if features.ndim != 2 or 0 in features.shape:
        raise InputError(f"A representation is [images, features] and not empty; this one is {list(features.shape)}.")
    if features.dtype != torch.float64:
        features = features.float()
    shifted = features - features[:1].detach()
    return shifted - shifted.mean(dim=0)


def feature_scale(centred: Tensor) -> Tensor:
    """Root mean squared row length, a constant to autograd; 1 where all rows are zero.

    CKA does not change when a representation is divided by a constant, so dividing by this costs nothing and keeps
    the fourth powers in HSIC within float32.
    """
    with torch.no_grad():
        largest = centred.abs().amax()
        largest = torch.where(largest > 0, largest, torch.ones_like(largest))
        return largest * (centred / largest).square().sum(dim=1).mean().sqrt().clamp_min(
            torch.finfo(centred.dtype).tiny
        )


def linear_gram(features: Tensor) -> Tensor:
    """K [n, n] of the inner products of the centred rows of `features` [n, d]."""
    centred = centre(features)
    return centred @ centred.T


def median_distance(features: Tensor) -> Tensor:
    """The median squared distance of two different rows of `features` [n, d], a scalar; 0 where there is no pair.

    The lower of two middle ones. The zeros of a row's distance to itself would pull it down in small batches.
    """
    return _median(_squared_distances(features))


def rbf_gram(features: Tensor, bandwidth: float = 1.0, *, median: Tensor | None = None) -> Tensor:
    """K_ij = exp(-d_ij² / 2σ²) of `features` [n, d], with σ² = `bandwidth` × the median squared distance of two images.

    The median is these features' own, or one that is given. Equal rows throughout give a K of ones, as the limit does.
    """
    distances = _squared_distances(features)
    median = _median(distances) if median is None else median
    spread = torch.where(median > 0, 2 * bandwidth * median, torch.full_like(median, torch.inf))
    return torch.exp(-distances / spread)


def _squared_distances(features: Tensor) -> Tensor:
    centred = centre(features)
    squares = centred.square().sum(dim=1)
    return (squares[:, None] + squares[None, :] - 2 * centred @ centred.T).clamp_min(0)


def _median(distances: Tensor) -> Tensor:
    n = len(distances)
    if n < 2:
        return distances.new_zeros(())
    row, column = torch.triu_indices(n, n, offset=1, device=distances.device)
    return distances[row, column].median()


def centred_gram(features: Tensor) -> Tensor:
    """The doubly centred linear Gram matrix [n, n] at unit Frobenius norm: what CKA compares, entry by entry.

    The sum of the products of two such matrices' entries is their biased linear CKA. All zeros for constant features.
    """
    # Centred before it is scaled: what has no variance has no scale either, and only its zeros bear the division.
    centred = centre(features)
    scaled = centred / feature_scale(centred)
    gram = scaled @ scaled.T
    norm = gram.norm()
    return gram / torch.where(norm > 0, norm, torch.ones_like(norm))
