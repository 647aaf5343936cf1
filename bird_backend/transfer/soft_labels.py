"""Soft labels: L = alpha L_task + beta T² KL(softmax(z_teacher/T) || softmax(z/T)) (Hinton 2015, §2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax

from bird_backend.specs import SoftLabelsMethod
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.frozen import FrozenNetwork

__all__ = ["SoftLabels", "distillation"]


class SoftLabels(TransferMethod):
    """The student's outputs follow the teacher's; both tell the same classes apart."""

    name = "soft-labels"

    def __init__(self, spec: SoftLabelsMethod, teacher: FrozenNetwork) -> None:
        super().__init__()
        self._spec = spec
        self._teacher = teacher

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `distillation_loss`."""
        outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        soft = distillation(self._teacher.outputs(batch), outputs, self._spec.temperature)
        loss = self._spec.alpha * task_loss + self._spec.beta * soft
        return {"loss": loss, "task_loss": task_loss, "distillation_loss": soft}


def distillation(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
    """T² KL of two logits [B, C] at temperature T, mean over the batch. T² keeps the gradient's size (Hinton 2015)."""
    target, found = (log_softmax(logits.float() / temperature, dim=1) for logits in (teacher, student))
    return temperature**2 * kl_div(found, target, reduction="batchmean", log_target=True)
