"""LwF by features: L = L_task + lambda ||z(x, theta) − z0(x)||₂, z the head's input (Shafahi 2019).

z0 is that of the network that the student began as, the robust teacher where architectures allow.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.linalg import vector_norm

from bird_backend.activations import capture_inputs
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.building import Networks

__all__ = ["FeatureDrift"]


class FeatureDrift(TransferMethod):
    """The features that the head reads stay near the ones it began with."""

    def __init__(self, beta: float, networks: Networks) -> None:
        super().__init__()
        self._beta = beta
        self._origin = networks.origin
        self._classifier = networks.classifier

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `drift_loss`, the mean distance over images."""
        with capture_inputs(student, (self._classifier,), stop_early=False) as features:
            outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        before = self._origin.inputs(batch, self._classifier)
        # Unlike sqrt, it has a gradient of zero at zero, which is where a run starts.
        drift_loss = vector_norm(features[self._classifier].float() - before.float(), dim=1).mean()
        return {
            "loss": task_loss + self._beta * drift_loss,
            "task_loss": task_loss,
            "drift_loss": drift_loss,
        }
