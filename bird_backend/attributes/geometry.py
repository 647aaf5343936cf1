"""CKA and effective dimension with intervals over images, from one image's influence on each (infinitesimal jackknife).

The standard error of a statistic is the standard deviation, over images, of its derivative by an image's weight, over
√n (Efron 1982, ch. 6). That costs no more than the statistic itself, and a mean over cells of the same images has the
mean of their influences. Resampling would not do: an image drawn twice is alike to itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bird_backend.measures import Interval
from bird_backend.measures.intervals import Z
from bird_backend.similarity import cka

__all__ = ["alike", "effective_dimension", "from_influences", "influence_on_cka"]


def alike(X: Tensor, Y: Tensor) -> Interval:
    """Debiased linear CKA of X [n, p] and Y [n, q], rows of the same n images."""
    return from_influences(float(cka(X, Y)), influence_on_cka(X, Y))


def effective_dimension(X: Tensor) -> Interval:
    """The participation ratio (Σλ)² / Σλ² of the eigenvalues of the covariance of X [n, d]: from 1 to d.

    0 where nothing varies.
    """
    X = _centred(X)
    covariance = X.T @ X / len(X)
    trace, square = covariance.trace(), covariance.square().sum()
    if float(square) <= 0:
        return Interval.of_number(0.0, len(X))
    lengths, products = X.square().sum(1), ((X @ covariance) * X).sum(1)
    value = trace.square() / square
    influence = value * (2 * (lengths - trace) / trace - 2 * (products - square) / square)
    return from_influences(float(value), influence)


def influence_on_cka(X: Tensor, Y: Tensor) -> Tensor:
    """[n]: what each image adds to the debiased CKA of X [n, p] and Y [n, q], to first order, n-fold."""
    X, Y = _centred(X), _centred(Y)
    xy, xx, yy = _by_image(X, Y), _by_image(X, X), _by_image(Y, Y)
    a, b, c = xy.mean(), xx.mean(), yy.mean()
    if float(b) <= 0 or float(c) <= 0:
        return torch.zeros_like(xy)
    value = a / (b.sqrt() * c.sqrt())
    # HSIC is a mean over pairs, and an image is in two of them for each other image: hence the 2.
    return 2 * ((xy - a) / (b.sqrt() * c.sqrt()) - value / 2 * ((xx - b) / b + (yy - c) / c))


def from_influences(value: float, influence: Tensor) -> Interval:
    """A statistic with the interval that its influences [n] give."""
    n = len(influence)
    half = Z * float(influence.double().std() if influence.device.type != "mps" else influence.std()) / math.sqrt(n)
    return Interval(value=value, low=value - half, high=value + half, n=n, kind="jackknife, over images")


def _by_image(X: Tensor, Y: Tensor) -> Tensor:
    """[n]: of each image the mean over the others of K_ij L_ij, by whichever form is cheaper."""
    n, p, q = len(X), X.shape[1], Y.shape[1]
    through_grams = n * (p + q) <= 2 * p * q
    products = (X @ X.T) * (Y @ Y.T) if through_grams else (X @ (X.T @ Y)) * Y
    return (products.sum(1) - X.square().sum(1) * Y.square().sum(1)) / (n - 1)


def _centred(X: Tensor) -> Tensor:
    """In float32 or better, at unit scale, so that fourth powers stay within it."""
    X = X if X.dtype == torch.float64 else X.float()
    X = X - X.mean(0)
    largest = X.abs().max() if X.numel() else X.new_ones(())
    return X / largest if float(largest) > 0 else X
