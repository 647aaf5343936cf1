"""The fixed validation images whose geometry is drawn, the same for teacher, student and every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bird_backend.datasets import Dataset, Split
from bird_backend.evaluation.thumbnails import SIDE, thumbnails
from bird_backend.seeds import derive_seed

__all__ = ["Probes", "choose_probes", "evenly", "probes_among"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Probes:
    """Images [N, 3, S, S] uint8 with labels [N]; `gram` [m] indexes those of the Gram matrices, sorted by class."""

    images: Tensor
    labels: Tensor
    gram: Tensor
    classes: tuple[str, ...]

    def to(self, device: torch.device | str) -> Probes:
        """The same on `device`."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "labels", "gram")}
        return replace(self, **moved)

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `probes.npz`, the images no larger than thumbnails."""
        return {
            "images": thumbnails(self.images, SIDE),
            "labels": self.labels.cpu().numpy(),
            "gram": self.gram.cpu().numpy(),
            "classes": np.array(self.classes),
        }


def choose_probes(data: Dataset, *, embedding: int, gram: int) -> Probes:
    """Up to `embedding` validation images, evenly over the classes, and up to `gram` of them for the Gram matrices."""
    return probes_among(data.validation, data.classes, embedding=embedding, gram=gram)


def probes_among(split: Split, classes: tuple[str, ...], *, embedding: int, gram: int) -> Probes:
    """The same of any images.

    Drawn by a fixed seed: two runs on the same data draw the same images, so their pictures can be compared.
    """
    labels = split.labels.cpu()
    chosen = evenly(labels, len(classes))[:embedding]
    subset = torch.arange(min(gram, len(chosen)))
    subset = subset[labels[chosen[subset]].argsort(stable=True)]
    device = split.device
    return Probes(
        images=split.take(chosen),
        labels=split.labels[chosen.to(device)],
        gram=subset.to(device),
        classes=classes,
    )


def evenly(labels: Tensor, classes: int) -> Tensor:
    """An order, int64 [n] on the CPU, of images with these labels [n]: every beginning is even over the classes.

    Drawn by a fixed seed.
    """
    labels = labels.cpu()
    generator = torch.Generator().manual_seed(derive_seed(0, "probes"))
    shuffled = torch.randperm(len(labels), generator=generator)
    # The k-th image of every class comes before the (k+1)-th of any: a prefix is as balanced as the data allow.
    rank = torch.empty(len(labels), dtype=torch.long)
    for label in range(classes):
        members = shuffled[labels[shuffled] == label]
        rank[members] = torch.arange(len(members))
    return shuffled[rank[shuffled].argsort(stable=True)]
