"""Methods that compare a batch at layer pairs: L = alpha L_task + beta Σ w D(u(B), v(B)).

u are the frozen teacher's representations of the student's own batch at a guiding layer, v the student's at a guided
one, each pooled to a vector an image. A method is its D.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_activations, pool
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.declaration import MatchingSettings
from bird_backend.transfer.frozen import FrozenNetwork

__all__ = ["Matching"]


class Matching(TransferMethod):
    """Task loss and a weighted mean over layer pairs of the dissimilarity D of teacher and student."""

    shares: Tensor

    def __init__(self, settings: MatchingSettings, teacher: FrozenNetwork) -> None:
        super().__init__()
        self._settings = settings
        self._teacher = teacher
        self._guiding = tuple(dict.fromkeys(pair.teacher for pair in settings.pairs))
        self._guided = tuple(dict.fromkeys(pair.student for pair in settings.pairs))
        weights = torch.tensor([pair.weight for pair in settings.pairs])
        self.register_buffer("shares", weights / weights.sum(), persistent=False)

    @abstractmethod
    def dissimilarity(self, u: Tensor, v: Tensor, pair: int) -> Tensor:
        """How far the student's [B, q] is from the teacher's [B, p] at the `pair`-th layer pair: a scalar."""

    def weights(self) -> Tensor:
        """Each pair's share of the representation loss [pairs], adding up to 1."""
        return self.shares

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `representation_loss`, the weighted mean of D."""
        with capture_activations(student, self._guided, stop_early=False) as guided:
            outputs = batch.outputs(student)
        theirs = self._teacher.features(batch, self._guiding, self._settings.pooling)
        task_loss = task.loss(outputs, batch)
        # Products of features in bfloat16 lose what tells one geometry from another.
        with torch.autocast(batch.inputs.device.type, enabled=False):
            terms = []
            for index, pair in enumerate(self._settings.pairs):
                own = pool(guided[pair.student], self._settings.pooling, batch.mask)
                terms.append(self.dissimilarity(theirs[pair.teacher], own, index))
            representation_loss = (self.weights() * torch.stack(terms)).sum()
        loss = self._settings.alpha * task_loss + self._settings.beta * representation_loss
        return {"loss": loss, "task_loss": task_loss, "representation_loss": representation_loss}
