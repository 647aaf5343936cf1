"""LP: a linear head on frozen features; LP-FT: that first, then everything (Kumar 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_inputs
from bird_backend.specs import LinearProbeThenFineTuningMethod
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.training.device import training_mode

__all__ = ["LinearProbe", "LinearProbeThenFineTuning"]


class LinearProbe(TransferMethod):
    """Only the classifier moves: the rest runs in evaluation mode, so its batch statistics stay too."""

    name = "linear-probe"

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


class LinearProbeThenFineTuning(LinearProbe):
    """The head alone for a share of the steps, then the whole network from there."""

    name = "lp-ft"

    def __init__(self, spec: LinearProbeThenFineTuningMethod, classifier: str) -> None:
        super().__init__(classifier)
        self._share = spec.share

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss` and `task_loss`, which are the same."""
        if batch.progress < self._share:
            return super().losses(student, batch, task)
        task_loss = task.loss(batch.outputs(student), batch)
        return {"loss": task_loss, "task_loss": task_loss}
