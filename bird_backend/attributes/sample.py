"""The images that attributes are computed on: of the student's training images those probes are fitted to, and held-out
ones to score, as they are and under each condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
import torch
from torch import Tensor, nn

from bird_backend.behaviours.trial import Attacked, Trial, batch_size
from bird_backend.datasets import Split
from bird_backend.datasets.npy import open_npy
from bird_backend.errors import InputError
from bird_backend.evaluation.answers import Respondent
from bird_backend.evaluation.probes import evenly
from bird_backend.measures import Cell
from bird_backend.runs.feature_cache import FeatureFolder
from bird_backend.stopping import check_stop

__all__ = ["ChangedImages", "Sample"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Some images of a split, in an order of which every beginning is even over the classes."""

    split: Split
    rows: Tensor
    """int64 [n], on the CPU: places in the split."""

    @classmethod
    def of(cls, split: Split, classes: int, most: int) -> Sample:
        """At most `most` images, the same ones each time."""
        return cls(split=split, rows=evenly(split.labels, classes)[:most])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labels(self) -> Tensor:
        """int64 [n] on the split's device."""
        return self.split.labels[self.rows.to(self.split.device)]

    @property
    def step(self) -> int:
        """Images of a batch: as many as are changed at once."""
        return batch_size(*self.split.images.shape[2:])

    def batches(self) -> Iterator[Tensor]:
        """uint8 [B,3,S,S] on the split's device."""
        for start in range(0, len(self), self.step):
            yield self.split.take(self.rows[start : start + self.step])


class ChangedImages:
    """A sample's images in each cell of a trial: made once and kept on disk, so that every network sees the same.

    Where the behaviour attacks, each network's own are made as they are asked for: against what it says of the images
    as they are, since a teacher of other classes has no output for the right ones.
    """

    def __init__(self, sample: Sample, trial: Trial, folder: FeatureFolder) -> None:
        self._sample = sample
        self._trial = trial
        self._folder = folder

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Without the clean one."""
        return self._trial.cells[1:]

    def require_room(self) -> None:
        """An `InputError` or `RunError` where all cells together can't be kept."""
        missing = [cell for cell in self.cells if self._folder.find(_file(cell)) is None]
        if missing and not self._trial.attacks:
            self._folder.cache.make_room(len(missing) * self._bytes, _WHAT)

    def batches(self, cell: Cell, network: nn.Module) -> Iterator[Tensor]:
        """uint8 [B,3,S,S] on the split's device: the sample's images in a cell, as `network` is to see them."""
        if self._trial.attacks:
            yield from self._attacked(cell, network)
            return
        images = self._kept(cell)
        for start in range(0, len(self._sample), self._sample.step):
            part = torch.from_numpy(np.array(images[start : start + self._sample.step]))
            yield part.to(self._sample.split.device)

    def make(self, cell: Cell) -> None:
        """Change the images of a cell now, if they aren't kept and can be."""
        if not self._trial.attacks:
            self._kept(cell)

    @property
    def _bytes(self) -> int:
        """Of one cell."""
        return len(self._sample) * int(np.prod(self._sample.split.images.shape[1:]))

    def _attacked(self, cell: Cell, network: nn.Module) -> Iterator[Tensor]:
        respondent = Respondent(network, self._sample.split.take(slice(1)))
        for index, images in enumerate(self._sample.batches()):
            check_stop()
            said = respondent.answer(images)[0].long()
            yield self._trial.batch(images, cell, index * self._sample.step, Attacked(model=network, labels=said))

    def _kept(self, cell: Cell) -> np.ndarray:
        """uint8 [n,3,S,S]"""
        shape = (len(self._sample), *self._sample.split.images.shape[1:])
        path = self._folder.find(_file(cell))
        if path is not None:
            try:
                images = open_npy(path)
            except InputError:  # damaged, so it is made again
                images = np.empty(0)
            if images.shape == shape:
                return images

        def write(file: IO[bytes]) -> None:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for index, batch in enumerate(self._sample.batches()):
                check_stop()
                changed = self._trial.batch(batch, cell, index * self._sample.step)
                file.write(changed.contiguous().cpu().numpy().tobytes())

        return open_npy(self._folder.keep(_file(cell), self._bytes, write, _WHAT))


_WHAT = "Keeping the changed images"


def _file(cell: Cell) -> str:
    return f"{cell[0]}-{cell[1]}.npy"
