"""A gallery: a few images under every condition at every strength, drawn once and scrubbed through afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bird_backend.behaviours import BehaviourSettings
from bird_backend.behaviours.trial import Trial
from bird_backend.catalog import OWN_IMAGE_SIZE
from bird_backend.datasets import Dataset
from bird_backend.datasets.images import decode
from bird_backend.evaluation import choose_probes
from bird_backend.evaluation.thumbnails import thumbnails
from bird_backend.runs.pictures import read_picture
from bird_backend.runs.reading import Gallery
from bird_backend.specs import ImageSize

__all__ = ["draw_gallery", "gallery_of_data", "gallery_of_picture"]

_BROUGHT = -1
_SIDE = 128
"""Larger images are changed at their size and kept at this one: a dozen under 19 × 5 cells are 56 MB then."""


def gallery_of_data(data: Dataset, count: int, device: torch.device) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Up to `count` validation images [K,3,S,S], evenly over the classes, their labels [K], and the classes."""
    probes = choose_probes(data, embedding=count, gram=1)
    return probes.images.to(device), probes.labels.cpu().numpy(), data.classes


def gallery_of_picture(
    name: str, image_size: ImageSize, device: torch.device
) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """The picture that was brought as one image [1,3,S,S] of no class; a broken one is an `InputError`."""
    size = OWN_IMAGE_SIZE if image_size == "auto" else image_size
    image = decode(read_picture(name), "The picture", size).pixels
    return torch.from_numpy(image.copy())[None].to(device), np.array([_BROUGHT]), ()


def draw_gallery(
    images: Tensor,
    labels: np.ndarray,
    classes: tuple[str, ...],
    *,
    settings: BehaviourSettings,
    seed: int,
    progress: Callable[[float], None],
) -> Gallery:
    """`images` uint8 [K,3,S,S] under every condition and strength of `settings`."""
    trial = Trial(settings=settings, seed=seed)
    names, strengths = settings.conditions, settings.strengths
    side = min(_SIDE, images.shape[-1])
    changed = np.empty((len(images), len(names), len(strengths), side, side, 3), dtype=np.uint8)
    for row, name in enumerate(names):
        for column, strength in enumerate(strengths):
            changed[:, row, column] = thumbnails(trial.batch(images, (name, strength), 0), side)
        progress((row + 1) / len(names))
    return Gallery(
        images=thumbnails(images, side),
        labels=labels,
        classes=np.array(classes, dtype=np.str_),
        behaviour=np.array(settings.name),
        conditions=np.array(names),
        changed=changed,
    )
