"""LP: L = L_task of a linear head on features that stay as they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_inputs
from bird_backend.training import Batch, Task, TransferMethod, training_mode

__all__ = ["LinearProbe"]


class LinearProbe(TransferMethod):
    """Only the classifier moves: the rest runs in evaluation mode, so its batch statistics stay too."""

    def __init__(self, classifier: str) -> None:
        """`classifier`: module path of the student's last linear layer."""
        super().__init__()
        self._classifier = classifier

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss` and `task_loss`, which are the same."""
        with torch.no_grad(), training_mode(student, False), capture_inputs(student, (self._classifier,)) as features:
            batch.outputs(student)
        outputs = student.get_submodule(self._classifier)(features[self._classifier])
        task_loss = task.loss(outputs, batch)
        return {"loss": task_loss, "task_loss": task_loss}
