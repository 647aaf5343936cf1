"""What a data set is once loaded: three splits of 32×32 RGB images as uint8 tensors, and its classes' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["IMAGE_SIZE", "Dataset", "Images", "Labels", "Progress", "Split", "as_split"]

IMAGE_SIZE = 32

Progress = Callable[[str, float], None]
"""Told what is going on, in words, and how much of it is done, 0 to 1."""
Images = npt.NDArray[np.uint8]
"""[N,3,32,32]"""
Labels = npt.NDArray[np.int64]
"""[N]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Images [N,3,32,32] uint8 and their labels [N] int64, on one device."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Split:
        """The same split on `device`."""
        return Split(images=self.images.to(device), labels=self.labels.to(device))


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Everything is selected on `validation`; `test` is touched once, at the end."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    def to(self, device: torch.device | str) -> Dataset:
        """The same data set on `device`."""
        return Dataset(
            name=self.name,
            classes=self.classes,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )


def as_split(images: Images, labels: Labels) -> Split:
    """A split on the CPU that owns its memory."""
    return Split(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(labels.astype(np.int64)),
    )
