"""The student's own task: what it loses by its outputs, and which answer they give."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor
from torch.nn.functional import cross_entropy

from bird_backend.training.batch import Batch

__all__ = ["Classification", "Task"]


class Task(ABC):
    """What a network is trained to do. Methods get its loss from here and add their own parts."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """How wrong a network's outputs for `batch` are: a float32 scalar, whatever autocast is doing."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """For each example what the outputs say, as its targets are written, and how sure they are, from 0 to 1."""


class Classification(Task):
    """One class of several: targets [B] int64, outputs [B, C] logits."""

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy, mean over the batch."""
        return cross_entropy(outputs.float(), batch.targets)

    def answers(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The class of the highest logit [B], and its softmax probability [B]; a network that says NaN is unsure."""
        logits = outputs.float()
        highest, predicted = logits.max(dim=1)
        return predicted, (highest - logits.logsumexp(dim=1)).exp().nan_to_num(nan=0.0)
