"""BIRD: L = alpha L_task + beta (1 - CKA(u(B), v(B))) (Pogoncheff & Beyeler 2026, §3).

u are the frozen teacher's representations of the student's own batch at the guiding layer, v the student's at the
guided layer. Several layer pairs average their CKA by weight.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bird_backend.activations import capture_activations, pool
from bird_backend.similarity import cka
from bird_backend.specs import BirdMethod
from bird_backend.training.contract import Batch, TransferMethod

__all__ = ["Bird"]


class Bird(TransferMethod):
    """Match the geometry of a batch at the guided layers to the teacher's at the guiding layers."""

    name = "bird"

    def __init__(self, spec: BirdMethod, teacher: nn.Module) -> None:
        super().__init__()
        self._spec = spec
        # In a list, so that the teacher is no submodule: `parameters()`, `train()` and `state_dict()` pass it by.
        self._teacher = [teacher.eval().requires_grad_(False)]
        self._guiding = tuple(dict.fromkeys(pair.teacher for pair in spec.pairs))
        self._guided = tuple(dict.fromkeys(pair.student for pair in spec.pairs))

    def losses(self, student: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss`, `task_loss`, `representation_loss` (1 - CKA) and `cka`."""
        with capture_activations(student, self._guided, stop_early=False) as v:
            logits = student(batch.images)
        u = self._teacher_activations(batch.images)

        task_loss = cross_entropy(logits.float(), batch.labels)
        similarity = self._similarity(u, v)
        representation_loss = 1 - similarity
        loss = self._spec.alpha * task_loss + self._spec.beta * representation_loss
        return {"loss": loss, "task_loss": task_loss, "representation_loss": representation_loss, "cka": similarity}

    def _similarity(self, u: Mapping[str, Tensor], v: Mapping[str, Tensor]) -> Tensor:
        spec = self._spec
        total = sum(pair.weight for pair in spec.pairs)
        terms = [
            pair.weight
            / total
            * cka(
                pool(u[pair.teacher], spec.pooling),
                pool(v[pair.student], spec.pooling),
                kernel=spec.kernel,
                estimator=spec.estimator,
                bandwidth=spec.bandwidth,
            )
            for pair in spec.pairs
        ]
        return torch.stack(terms).sum()

    @torch.no_grad()
    def _teacher_activations(self, images: Tensor) -> Mapping[str, Tensor]:
        with capture_activations(self._teacher[0], self._guiding, stop_early=True) as captured:
            self._teacher[0](images)
        return captured
