"""LwF in two forms, both against the network that the student began as, the robust teacher where architectures allow.

Features: L = L_task + lambda ||z(x, theta) − z0(x)||₂, z the head's input (Shafahi 2019). Logits: L = L_task +
lambda T² KL at T = 2 through the old head (Li & Hoiem 2016, whose loss has no T²).
"""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.linalg import vector_norm

from bird_backend.activations import capture_inputs
from bird_backend.specs import FeatureDriftMethod, OldHeadMethod
from bird_backend.training import Batch, Task, TransferMethod
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.soft_labels import distillation

__all__ = ["FeatureDrift", "OldHead"]


class FeatureDrift(TransferMethod):
    """The features that the head reads stay near the ones it began with."""

    name = "lwf-features"

    def __init__(self, spec: FeatureDriftMethod, origin: FrozenNetwork, classifier: str) -> None:
        """`origin`: what the student began as; `classifier`: module path of the last linear layer, in both."""
        super().__init__()
        self._spec = spec
        self._origin = origin
        self._classifier = classifier

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `drift_loss`, the mean distance over images."""
        with capture_inputs(student, (self._classifier,), stop_early=False) as features:
            outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        before = self._origin.inputs(batch, self._classifier)
        # Unlike sqrt, it has a gradient of zero at zero, which is where a run starts.
        drift_loss = vector_norm(features[self._classifier].float() - before.float(), dim=1).mean()
        return {
            "loss": task_loss + self._spec.beta * drift_loss,
            "task_loss": task_loss,
            "drift_loss": drift_loss,
        }


class OldHead(TransferMethod):
    """The old head, on the student's features, goes on saying what it said. It moves along with them."""

    name = "lwf-logits"

    def __init__(self, spec: OldHeadMethod, origin: FrozenNetwork, classifier: str) -> None:
        """`origin`: what the student began as, with its own head; `classifier`: that head's module path, in both."""
        super().__init__()
        self._spec = spec
        self._origin = origin
        self._classifier = classifier
        self.old_head = copy.deepcopy(origin.network.get_submodule(classifier)).requires_grad_(True)

    def losses(self, student: nn.Module, batch: Batch, task: Task) -> dict[str, Tensor]:
        """`loss`, `task_loss` and `distillation_loss`, of the old head."""
        with capture_inputs(student, (self._classifier,), stop_early=False) as features:
            outputs = batch.outputs(student)
        task_loss = task.loss(outputs, batch)
        said = self.old_head(features[self._classifier])
        soft = distillation(self._origin.outputs(batch), said, self._spec.temperature)
        return {"loss": task_loss + self._spec.beta * soft, "task_loss": task_loss, "distillation_loss": soft}
