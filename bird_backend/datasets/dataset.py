"""What a data set is once loaded: three splits of square RGB images as uint8 tensors, and its classes' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

if TYPE_CHECKING:
    from bird_backend.datasets.reading import Reading

__all__ = ["Dataset", "Images", "Labels", "Progress", "Split", "as_split"]

Progress = Callable[[str, float], None]
"""Told what is going on, in words, and how much of it is done, 0 to 1."""
Images = npt.NDArray[np.uint8]
"""[N,3,S,S]"""
Labels = npt.NDArray[np.int64]
"""[N]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Images [N,3,S,S] uint8 and their labels [N] int64, on one device."""

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
    reading: Reading | None = None
    """What was found in a folder or zip, and done to it; none where a data set comes ready."""

    @property
    def image_size(self) -> int:
        """The side of its images in pixels."""
        return self.train.images.shape[-1]

    def to(self, device: torch.device | str) -> Dataset:
        """The same data set on `device`."""
        train, validation, test = (split.to(device) for split in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)

    def describe(self) -> dict[str, Any]:
        """As JSON: classes, image size, images of each class in each split, and how they were read."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            "classes": list(self.classes),
            "image_size": self.image_size,
            "counts": {
                name: torch.bincount(split.labels, minlength=len(self.classes)).tolist()
                for name, split in splits.items()
            },
            "reading": None if self.reading is None else self.reading.as_dict(),
            "remarks": [] if self.reading is None else self.reading.remarks(),
        }


def as_split(images: Images, labels: Labels) -> Split:
    """A split on the CPU that owns its memory."""
    return Split(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(labels.astype(np.int64)),
    )
