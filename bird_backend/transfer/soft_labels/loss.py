"""Soft labels: L = alpha L_task + beta T² KL(softmax(z_teacher/T) || softmax(z/T)) (Hinton 2015, §2)."""

from __future__ import annotations

from torch import Tensor, nn

from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.distillation import distillation
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.soft_labels import SoftLabelsSettings

__all__ = ["SoftLabels"]


class SoftLabels(TransferMethod):
    """The student's outputs follow the teacher's; both tell the same classes apart."""

    def __init__(self, settings: SoftLabelsSettings, teacher: FrozenNetwork) -> None:
        super().__init__()
        self._settings = settings
        self._teacher = teacher

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `distillation_loss`."""
        outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        soft = distillation(self._teacher.outputs(batch), outputs, self._settings.temperature)
        loss = self._settings.alpha * task_loss + self._settings.beta * soft
        return {"loss": loss, "task_loss": task_loss, "distillation_loss": soft}
