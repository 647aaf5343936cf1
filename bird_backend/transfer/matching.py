"""Methods that compare a batch at layer pairs: L = alpha L_task + beta Σ w D(u(B), v(B)).

u are the frozen teacher's representations of the student's own batch at a guiding layer, v the student's at a guided
one, each pooled to a vector an image. A method is its D.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

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
    guiding: tuple[str, ...]
    guided: tuple[str, ...]
    """Module paths of the teacher and of the student, each once."""

    def __init__(self, settings: MatchingSettings, teacher: FrozenNetwork) -> None:
        super().__init__()
        self._settings = settings
        self._teacher = teacher
        self.guiding = tuple(dict.fromkeys(pair.teacher for pair in settings.pairs))
        self.guided = tuple(dict.fromkeys(pair.student for pair in settings.pairs))
        weights = torch.tensor([pair.weight for pair in settings.pairs])
        self.register_buffer("shares", weights / weights.sum(), persistent=False)

    @abstractmethod
    def dissimilarity(self, u: Tensor, v: Tensor, pair: int) -> Tensor:
        """How far the student's [B, q] is from the teacher's [B, p] at the `pair`-th layer pair: a scalar."""

    def weights(self) -> Tensor:
        """Each pair's share of the representation loss [pairs], adding up to 1."""
        return self.shares

    def pooled(self, guided: Mapping[str, Tensor], mask: Tensor | None = None) -> dict[str, Tensor]:
        """The student's outputs at the guided layers as a vector an image each."""
        return {name: pool(guided[name], self._settings.pooling, mask) for name in self.guided}

    def compare(self, theirs: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Tensor:
        """The representation loss: the weighted mean of D, of pooled outputs by layer; a scalar."""
        # Products of features in bfloat16 lose what tells one geometry from another.
        with torch.autocast(self.shares.device.type, enabled=False):
            terms = [
                self.dissimilarity(theirs[pair.teacher], own[pair.student], index)
                for index, pair in enumerate(self._settings.pairs)
            ]
            return (self.weights() * torch.stack(terms)).sum()

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `representation_loss`, the weighted mean of D."""
        with capture_activations(student, self.guided, stop_early=False) as guided:
            outputs = batch.outputs(student)
        theirs = self._teacher.features(batch, self.guiding, self._settings.pooling)
        task_loss = task.loss(outputs, batch)
        own = self.pooled(guided, batch.mask)
        representation_loss = self.compare(theirs, own)
        loss = self._settings.alpha * task_loss + self._settings.beta * representation_loss
        return {"loss": loss, "task_loss": task_loss, "representation_loss": representation_loss}
