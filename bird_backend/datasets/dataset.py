"""What a data set is once loaded: three splits of square RGB images as uint8 tensors, and its classes' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["Dataset", "Images", "Labels", "Progress", "Split", "Within", "as_split"]

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
    streamed: bool = False
    """Whether there are too many images for the device, so that they stay where they are, on the CPU and most often
    mapped from a file, and come to it batch by batch."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where batches are wanted."""
        return self.labels.device

    def take(self, rows: Tensor | slice) -> Tensor:
        """uint8 [B,3,S,S] on the split's device: the images of these places, indices [B] on any device or a slice."""
        if isinstance(rows, Tensor):
            rows = rows.to(self.images.device, non_blocking=True)  # towards a device: of few numbers, so no wait
        return self.images[rows].to(self.device, non_blocking=True)

    def to(self, device: torch.device | str, *, streamed: bool = False) -> Split:
        """The same split on `device`, its images too unless they are to be `streamed` there."""
        images = self.images if streamed else self.images.to(device)
        return Split(images=images, labels=self.labels.to(device), streamed=streamed)


@dataclass(frozen=True, kw_only=True, eq=False)
class Within:
    """Where the test images of a narrowed data set are in the whole one's test split, on the CPU."""

    rows: Tensor
    """Places [n], ascending."""
    labels: Tensor
    """The whole one's labels [N]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Everything is selected on `validation`; `test` is touched once, at the end."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    reading: Mapping[str, Any] | None = None
    """What was found in one's own images, and done to them (`Reading.as_dict`); none where a data set comes ready."""
    remarks: tuple[str, ...] = ()
    """The same in sentences, as far as a person would want to know of it."""
    within: Within | None = None
    """Of what it is some of the classes; none where it is all of its images."""

    @property
    def image_size(self) -> int:
        """The side of its images in pixels."""
        return self.train.images.shape[-1]

    def to(self, device: torch.device | str, *, streamed: bool = False) -> Dataset:
        """The same data set on `device`, its images too unless they are to be `streamed` there."""
        splits = (self.train, self.validation, self.test)
        train, validation, test = (split.to(device, streamed=streamed) for split in splits)
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
            "reading": self.reading,
            "remarks": list(self.remarks),
        }


def as_split(images: Images, labels: Labels) -> Split:
    """A split on the CPU that owns its memory."""
    return Split(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(labels.astype(np.int64)),
    )
