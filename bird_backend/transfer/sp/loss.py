"""SP: D = ||Ĝ_u − Ĝ_v||²_F / n², Ĝ = XXᵀ with rows of unit length (Tung & Mori 2019, §3)."""

from __future__ import annotations

from torch import Tensor

from bird_backend.transfer.matching import Matching
from bird_backend.transfer.rows import rescaled, unit_rows

__all__ = ["SimilarityPreserving"]


class SimilarityPreserving(Matching):
    """What is alike to the teacher is to be alike to the student; neither side is centred."""

    def dissimilarity(self, u: Tensor, v: Tensor, _pair: int) -> Tensor:
        """The mean squared difference of the two row-normalised Gram matrices."""
        u, v = rescaled(u), rescaled(v)
        return (unit_rows(u @ u.T) - unit_rows(v @ v.T)).square().mean()
