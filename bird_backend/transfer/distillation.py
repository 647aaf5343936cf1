"""How far one network's outputs are from another's, softened (Hinton 2015, §2)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

__all__ = ["distillation"]


def distillation(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
    """T² KL of two logits [B, C] at temperature T, mean over the batch. T² keeps the gradient's size (Hinton 2015)."""
    target, found = (log_softmax(logits.float() / temperature, dim=1) for logits in (teacher, student))
    return temperature**2 * kl_div(found, target, reduction="batchmean", log_target=True)
