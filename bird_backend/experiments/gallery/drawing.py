"""A gallery: a few images under every corruption at every severity, drawn once and scrubbed through afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.datasets import Dataset
from bird_backend.datasets.images import decode
from bird_backend.evaluation import Corrupting, choose_probes
from bird_backend.runs.pictures import read_picture
from bird_backend.runs.reading import Gallery

__all__ = ["draw_gallery", "gallery_of_data", "gallery_of_picture"]

_BROUGHT = -1


def gallery_of_data(data: Dataset, count: int) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Up to `count` validation images [K,3,32,32], evenly over the classes, their labels [K], and the classes."""
    probes = choose_probes(data, embedding=count, gram=1)
    return probes.images, probes.labels.cpu().numpy(), data.classes


def gallery_of_picture(name: str, device: torch.device) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """The picture that was brought as one image [1,3,32,32] of no class; a broken one is an `InputError`."""
    image = decode(read_picture(name), "The picture").pixels
    return torch.from_numpy(image.copy())[None].to(device), np.array([_BROUGHT]), ()


def draw_gallery(
    images: Tensor,
    labels: np.ndarray,
    classes: tuple[str, ...],
    *,
    seed: int,
    progress: Callable[[float], None],
) -> Gallery:
    """`images` uint8 [K,3,32,32] under every corruption and severity."""
    how = Corrupting(seed=seed)
    names, levels = tuple(CORRUPTIONS), SEVERITIES
    corrupted = torch.empty(len(images), len(names), len(levels), *images.shape[1:], dtype=torch.uint8)
    for row, name in enumerate(names):
        for column, severity in enumerate(levels):
            corrupted[:, row, column] = how.batch(images, (name, severity), 0).cpu()
        progress((row + 1) / len(names))
    return Gallery(
        images=images.permute(0, 2, 3, 1).cpu().numpy(),
        labels=labels,
        classes=np.array(classes, dtype=np.str_),
        corruptions=np.array(names),
        corrupted=corrupted.permute(0, 1, 2, 4, 5, 3).contiguous().numpy(),
    )
