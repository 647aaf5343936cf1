"""What training does to its images before the networks see them: shift and mirror them, or change them too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bird_backend import catalog
from bird_backend.behaviours import BehaviourSettings
from bird_backend.behaviours.drawing import change_for_training
from bird_backend.behaviours.trial import Attacked, Given
from bird_backend.datasets import Ahead, Split, augment, normalise
from bird_backend.specs import Training
from bird_backend.training import Batch
from bird_backend.training.device import layout, to_layout

__all__ = ["Change", "Drawn", "TrainingImages", "changing", "clean"]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What a change of images may depend on beside them: their labels [B], chance, and who is trained on them."""

    labels: Tensor
    generator: torch.Generator
    """On the images' device."""
    cpu_generator: torch.Generator
    student: nn.Module


Change = Callable[[Tensor, Drawn], Tensor]
"""uint8 images [B,3,H,W] to images of the same kind, within what `training.Source` asks of a batch."""


class TrainingImages:
    """A split's images as a source of batches: each brought through the changes in turn, then normalised."""

    def __init__(self, split: Split, *changes: Change) -> None:
        self._split = split
        self._images = Ahead(split)
        self._changes = changes

    @property
    def device(self) -> torch.device:
        return self._split.device

    def __len__(self) -> int:
        return len(self._split)

    def expect(self, rows: Tensor) -> None:
        self._images.expect(rows)

    def batch(
        self,
        rows: Tensor,
        *,
        generator: torch.Generator,
        cpu_generator: torch.Generator,
        student: nn.Module,
        progress: float,
    ) -> Batch:
        images = self._images.take(rows)
        labels = self._split.labels[rows.to(self.device, non_blocking=True)]
        drawn = Drawn(labels=labels, generator=generator, cpu_generator=cpu_generator, student=student)
        for change in self._changes:
            images = change(images, drawn)
        return Batch(inputs=to_layout(normalise(images), layout(student)), targets=labels, progress=progress)

    def sample(self, student: nn.Module, count: int = 2) -> Batch:
        """The first few as they are, to see what shapes networks make of them."""
        images, labels = self._split.take(slice(count)), self._split.labels[:count]
        return Batch(inputs=to_layout(normalise(images), layout(student)), targets=labels)


def clean(split: Split, training: Training, data: str) -> TrainingImages:
    """Shifted and mirrored, where the spec asks for it and the data set of that name bears it."""
    return TrainingImages(split, _augmented(training, data))


def changing(
    split: Split, training: Training, data: str, *, settings: BehaviourSettings, conditions: Sequence[str]
) -> TrainingImages:
    """Then under some of a behaviour's conditions, at strengths from 0 to 5, as a robust teacher is trained (BIRD §4).

    Drawn anew for each image where the behaviour can, else for every eight neighbours (`behaviours.drawing`).
    """
    names = tuple(conditions)

    def changed(images: Tensor, drawn: Drawn) -> Tensor:
        given = Given(
            generator=drawn.generator,
            cpu_generator=drawn.cpu_generator,
            settings=settings,
            network=Attacked(model=drawn.student, labels=drawn.labels),
        )
        return change_for_training(images, names, given)

    return TrainingImages(split, _augmented(training, data), changed)


def _augmented(training: Training, data: str) -> Change:
    mirror = catalog.may_be_mirrored(data) if training.mirror == "auto" else training.mirror
    return lambda images, drawn: augment(images, drawn.generator, shift=training.shift, mirror=mirror)
