"""LwF by logits: L = L_task + lambda T² KL at T = 2 through the old head (Li & Hoiem 2016, whose loss has no T²).

What it is held to is what the network that the student began as says, the robust teacher where architectures allow.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from bird_backend.activations import capture_inputs
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.building import Networks
from bird_backend.transfer.distillation import distillation
from bird_backend.transfer.lwf_logits import OldHeadSettings

__all__ = ["OldHead"]


class OldHead(TransferMethod):
    """The old head, on the student's features, goes on saying what it said. It moves along with them."""

    def __init__(self, settings: OldHeadSettings, networks: Networks) -> None:
        super().__init__()
        self._settings = settings
        self._origin = networks.origin
        self._classifier = networks.classifier
        self.old_head = copy.deepcopy(self._origin.network.get_submodule(self._classifier)).requires_grad_(True)

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `distillation_loss`, of the old head."""
        with capture_inputs(student, (self._classifier,), stop_early=False) as features:
            outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        said = self.old_head(features[self._classifier])
        soft = distillation(self._origin.outputs(batch), said, self._settings.temperature)
        return {"loss": task_loss + self._settings.beta * soft, "task_loss": task_loss, "distillation_loss": soft}
