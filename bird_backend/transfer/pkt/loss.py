"""PKT: D = KL(p_u || p_v), p the probability of picking a neighbour (Passalis & Tefas 2018, the cosine kernel)."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.transfer.matching import Matching
from bird_backend.transfer.rows import unit_rows

__all__ = ["Probabilistic", "neighbours"]

_EPSILON = 1e-7


class Probabilistic(Matching):
    """Each image's neighbours in the batch are to be as likely for the student as for the teacher."""

    def dissimilarity(self, u: Tensor, v: Tensor, _pair: int) -> Tensor:
        """The divergence of the student's neighbours from the teacher's, summed over a row, mean over rows."""
        p, q = neighbours(u), neighbours(v)
        return (p * (torch.log(p + _EPSILON) - torch.log(q + _EPSILON))).sum(1).mean()


def neighbours(x: Tensor) -> Tensor:
    """Probabilities [n, n] of the rows of x [n, d]: (1 + cosine) / 2, each row adding up to 1, itself included."""
    directions = unit_rows(x)
    kernel = ((1 + directions @ directions.T) / 2).clamp_min(0)
    return kernel / kernel.sum(1, keepdim=True)
