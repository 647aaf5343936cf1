"""Plain fine-tuning: L = L_task. On clean images it is what a transfer has to beat, on changed ones its ceiling."""

from __future__ import annotations

from torch import Tensor, nn

from bird_backend.training import Batch, Task, TransferMethod

__all__ = ["FineTuning"]


class FineTuning(TransferMethod):
    """The task's own loss, nothing else."""

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss` and `task_loss`, which are the same."""
        task_loss = task.loss(batch.outputs(student), batch)
        return {"loss": task_loss, "task_loss": task_loss}
