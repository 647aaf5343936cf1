"""Plain fine-tuning: L = L_task. On clean images it is what a transfer has to beat, on corrupted ones its ceiling."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bird_backend.training.contract import Batch, TransferMethod

__all__ = ["FineTuning", "Oracle"]


class FineTuning(TransferMethod):
    """Cross-entropy of the student's logits, nothing else."""

    name = "fine-tuning"

    def losses(self, student: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss` and `task_loss`, which are the same."""
        task_loss = cross_entropy(student(batch.images).float(), batch.labels)
        return {"loss": task_loss, "task_loss": task_loss}


class Oracle(FineTuning):
    """Fine-tuning under another name: whoever runs it has the images corrupted."""

    name = "oracle"
