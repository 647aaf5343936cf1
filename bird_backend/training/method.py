"""What every transfer method is: a module that turns a student, a batch and a task into named loss parts."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from bird_backend.training.batch import Batch
from bird_backend.training.task import Task

__all__ = ["TransferMethod"]


class TransferMethod(nn.Module, ABC):
    """One way of transferring. Parameters of the method itself are trained with the student's; a teacher is not one."""

    @abstractmethod
    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """Scalars by name: `loss`, to be minimised, `task_loss`, and the method's own parts. Must not force a sync."""
