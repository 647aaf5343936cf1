"""What the process that carries out a run gives to its kind: where to write, where to compute, and the data."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import cast

import torch

from bird_backend.datasets import Dataset, Split, load_dataset, place
from bird_backend.experiments.sharing import Shared
from bird_backend.runs.fingerprints import MISSING, data_fingerprint
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import ImageSize

__all__ = ["Work"]

_log = logging.getLogger("bird")


@dataclass(frozen=True, kw_only=True)
class Work:
    """`writer` is the run's only one; everything is computed on `device`; `shared` lasts longer than the run."""

    writer: RunWriter
    device: torch.device
    shared: Shared = field(default_factory=Shared)

    def load(self, name: str, image_size: ImageSize) -> Dataset:
        """As `read`, on the device."""
        known = data_fingerprint(name)
        if known == MISSING:
            return place(self.read(name, image_size), self.device)  # says what is wrong
        key = ("data", name, image_size, known, str(self.device))
        data = self.shared.find(key)
        if data is None:
            data = place(self.read(name, image_size), self.device)
            self.shared.keep(key, data, sum(map(_bytes, (data.train, data.validation, data.test))))
        else:
            self._describe(data)
        return cast(Dataset, data)

    def read(self, name: str, image_size: ImageSize) -> Dataset:
        """The data set of that name on the CPU, its images of that size; what was done to one's own is logged."""
        data = load_dataset(
            name, image_size=image_size, progress=lambda what, part: self.writer.progress(part, detail=what)
        )
        self._describe(data)
        return data

    def _describe(self, data: Dataset) -> None:
        if data.reading is not None:
            self.writer.save_json("data.json", data.describe())
            for remark in data.remarks:
                _log.info("%s", remark)


def _bytes(split: Split) -> int:
    """In memory: streamed images lie in a file."""
    return split.labels.nbytes + (0 if split.streamed else split.images.nbytes)
