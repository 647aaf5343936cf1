"""What the process that carries out a run gives to its kind: where to write, where to compute, and the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bird_backend.datasets import Dataset, load_dataset
from bird_backend.runs.writing import RunWriter

__all__ = ["Work"]


@dataclass(frozen=True, kw_only=True)
class Work:
    """`writer` is the run's only one; everything is computed on `device`."""

    writer: RunWriter
    device: torch.device

    def load(self, name: str) -> Dataset:
        """The data set of that name, on the device."""
        return load_dataset(name, progress=lambda what, part: self.writer.progress(part, detail=what)).to(self.device)
