"""Where a training loop's batches come from: whoever knows the data makes them ready for the networks."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from bird_backend.training.batch import Batch

__all__ = ["Source"]


class Source(Protocol):
    """Training data on one device. The loop says which examples a step sees; all else about them is known here."""

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...

    def expect(self, rows: Tensor) -> None:
        """The places `rows` [B] that will be asked for next: a source that has to fetch them can begin now."""
        ...

    def batch(
        self,
        rows: Tensor,
        *,
        generator: torch.Generator,
        cpu_generator: torch.Generator,
        student: nn.Module,
        progress: float,
    ) -> Batch:
        """The examples of the places `rows` [B], changed as training changes them, in the student's memory layout.

        `rows` are on the CPU. The generators, one on the device and one on the CPU, are seeded for this step and the
        only source of chance: so a resumed run sees the same. `student` is in training mode and float32; changes that
        depend on it must leave it as it was, batch statistics and gradients included. Must not force a sync with the
        device.
        """
        ...
