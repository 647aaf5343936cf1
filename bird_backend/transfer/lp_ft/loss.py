"""LP-FT: L = L_task of the head alone, then of the whole network from there (Kumar 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from bird_backend.training import Batch, Task
from bird_backend.transfer.linear_probe.loss import LinearProbe

__all__ = ["LinearProbeThenFineTuning"]


class LinearProbeThenFineTuning(LinearProbe):
    """The head alone for a share of the steps, then the whole network from there."""

    def __init__(self, share: float, classifier: str) -> None:
        super().__init__(classifier)
        self._share = share

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss` and `task_loss`, which are the same."""
        if batch.progress < self._share:
            return super().losses(student, batch, task)
        task_loss = task.loss(batch.outputs(student), batch)
        return {"loss": task_loss, "task_loss": task_loss}
