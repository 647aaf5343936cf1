"""BIRD: L = alpha L_task + beta (1 − CKA(u(B), v(B))) (Pogoncheff & Beyeler 2026, §3).

Several layer pairs average their CKA by weight; the weights are fixed, or the softmax of learned numbers.
"""

from __future__ import annotations

from torch import Tensor, nn

from bird_backend.similarity import cka
from bird_backend.training import Batch, Task
from bird_backend.transfer.bird import BirdSettings
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.matching import Matching

__all__ = ["Bird"]


class Bird(Matching):
    """Match the geometry of a batch at the guided layers to the teacher's at the guiding layers."""

    def __init__(self, settings: BirdSettings, teacher: FrozenNetwork) -> None:
        super().__init__(settings, teacher)
        self._settings: BirdSettings = settings
        if settings.weighting == "learned":
            self.log_weights = nn.Parameter(self.shares.log())

    def weights(self) -> Tensor:
        """The spec's shares, or the softmax of the learned numbers that start from them."""
        return self.log_weights.softmax(0) if self._settings.weighting == "learned" else super().weights()

    def dissimilarity(self, u: Tensor, v: Tensor, _pair: int) -> Tensor:
        """1 − CKA."""
        settings = self._settings
        return 1 - cka(u, v, kernel=settings.kernel, estimator=settings.estimator, bandwidth=settings.bandwidth)

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss`, `representation_loss` (1 − CKA), `cka`, and learned weights as `weight_1`…"""
        parts = super().losses(student, batch, task)
        parts["cka"] = 1 - parts["representation_loss"]
        if self._settings.weighting == "learned":
            parts |= {f"weight_{index}": weight for index, weight in enumerate(self.weights().detach(), 1)}
        return parts
