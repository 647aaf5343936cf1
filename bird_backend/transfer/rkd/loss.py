"""RKD: distances and angles within a batch, each on its own scale (Park 2019, §3.2)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from bird_backend.similarity.gram import centre
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.matching import Matching
from bird_backend.transfer.rkd import RelationalSettings
from bird_backend.transfer.rows import rescaled

__all__ = ["Relational", "relations"]

_CLOSEST = 1e-6
"""Squared distance, in units of the features' variance, below which float32 knows none and the root has no gradient."""


class Relational(Matching):
    """D = w_d · Huber(distances) + w_a · Huber(angles)."""

    def __init__(self, settings: RelationalSettings, teacher: FrozenNetwork) -> None:
        super().__init__(settings, teacher)
        self._settings: RelationalSettings = settings

    def dissimilarity(self, u: Tensor, v: Tensor, _pair: int) -> Tensor:
        """The weighted Huber losses over all pairs and all triples of the batch."""
        (their_distances, their_angles), (distances, angles) = relations(u), relations(v)
        distance = smooth_l1_loss(distances, their_distances)
        angle = smooth_l1_loss(angles, their_angles)
        return self._settings.distance_weight * distance + self._settings.angle_weight * angle


def relations(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of the rows of x [n, d]: distances [n, n] over their mean off the diagonal, and cosines [n, n, n].

    Cosine (j, i, k) is that of the angle at row j between rows i and k, 0 where either is j. Both come from the Gram
    matrix, so memory does not grow with n² d.
    """
    n = len(x)
    x = rescaled(centre(x))
    gram = x @ x.T
    lengths = gram.diagonal()
    others = 1 - torch.eye(n, dtype=x.dtype, device=x.device)
    lines = (lengths[:, None] + lengths - 2 * gram).clamp_min(_CLOSEST).sqrt()
    mean = (lines * others).sum() / max(n * (n - 1), 1)
    distances = lines * others / mean.clamp_min(_CLOSEST)
    # (x_i − x_j)·(x_k − x_j), j first
    products = gram - gram[:, :, None] - gram[:, None, :] + lengths[:, None, None]
    inverse = others / lines
    return distances, products * inverse[:, :, None] * inverse[:, None, :]
