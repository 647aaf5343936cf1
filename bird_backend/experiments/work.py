"""What the process that carries out a run gives to its kind: where to write, where to compute, and the data."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from bird_backend.datasets import Dataset, load_dataset, place
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import ImageSize

__all__ = ["Work"]

_log = logging.getLogger("bird")


@dataclass(frozen=True, kw_only=True)
class Work:
    """`writer` is the run's only one; everything is computed on `device`."""

    writer: RunWriter
    device: torch.device

    def load(self, name: str, image_size: ImageSize) -> Dataset:
        """As `read`, on the device."""
        return place(self.read(name, image_size), self.device)

    def read(self, name: str, image_size: ImageSize) -> Dataset:
        """The data set of that name on the CPU, its images of that size; what was done to one's own is logged."""
        data = load_dataset(
            name, image_size=image_size, progress=lambda what, part: self.writer.progress(part, detail=what)
        )
        if data.reading is not None:
            self.writer.save_json("data.json", data.describe())
            for remark in data.remarks:
                _log.info("%s", remark)
        return data
