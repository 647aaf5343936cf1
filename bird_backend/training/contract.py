"""What every transfer method is: a module that turns a student and a batch into named loss parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

__all__ = ["Batch", "TransferMethod"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's images [B, 3, 32, 32], normalised and augmented, and labels [B]."""

    images: Tensor
    labels: Tensor
    progress: float = 0.0
    """Share of the run's steps that are done, in [0, 1)."""


class TransferMethod(nn.Module, ABC):
    """One way of transferring. Parameters of the method itself are trained with the student's; a teacher is not one."""

    name: ClassVar[str]

    @abstractmethod
    def losses(self, student: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Scalars by name: `loss`, to be minimised, `task_loss`, and the method's own parts. Must not force a sync."""
