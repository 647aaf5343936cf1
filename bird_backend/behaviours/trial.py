"""A behaviour with settings and a seed: images brought under its cells, by chance that seed, cell and place decide.

So what is changed on the fly and what is written to disk are the same bytes, and where images do not depend on the
network, all networks see the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bird_backend.behaviours.declaration import Behaviour, BehaviourSettings
from bird_backend.datasets import Within
from bird_backend.measures import CLEAN, Cell
from bird_backend.seeds import derive_seed
from bird_backend.training import Classification, Task

__all__ = ["BATCH", "Attacked", "Given", "Stored", "Trial", "batch_size"]

BATCH = 500
"""32×32 images changed at once; another number gives other noise."""
_PIXELS = BATCH * 32 * 32


def batch_size(height: int, width: int) -> int:
    """How many images of a size are changed at once: `BATCH`, fewer of larger ones."""
    return max(1, min(BATCH, _PIXELS // (height * width)))


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """A network that images are changed against, the labels [B] that they have, and what it loses by them."""

    model: nn.Module
    labels: Tensor
    task: Task = field(default_factory=Classification)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What images are changed with."""

    generator: torch.Generator
    """On the images' device, and the only source of chance there."""
    settings: Any
    """The behaviour's own."""
    network: Attacked | None = None
    """Where the behaviour attacks."""
    cpu_generator: torch.Generator | None = None
    """In training, for draws that must not wait for the device."""

    @property
    def attacked(self) -> Attacked:
        """The network, where there has to be one."""
        if self.network is None:
            raise ValueError(f"{self.settings.name}: an attack is on a network, and none is given")
        return self.network


class Stored(Protocol):
    """A test set's images under conditions, kept on disk."""

    def batch(self, cell: Cell, images: npt.NDArray[np.int64], device: torch.device) -> Tensor:
        """uint8 [B,3,H,W]: the images of these places in the test split, in a cell."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a network is tried under."""

    settings: BehaviourSettings
    seed: int
    stored: Stored | None = None
    strengths: str = ""
    """In a sentence, what strengths mean at the images' size; nothing of images that are kept on disk."""

    @classmethod
    def open(
        cls, settings: BehaviourSettings, *, seed: int, labels: Tensor, image: Tensor, within: Within | None = None
    ) -> Trial:
        """For test images with these labels [n]; what can't be had is an `InputError` here, not after hours of work.

        `within` tells of a narrowed data set which images of the whole one's test split they are.
        `image` uint8 [1,3,H,W], best one that is not tested on, is changed once under each condition.
        """
        read = settings.behaviour.stored
        if read is not None and (stored := read(settings, labels, image.shape[-1], within)) is not None:
            return cls(settings=settings, seed=seed, stored=stored)
        said = settings.behaviour.strengths_at(min(image.shape[2:]))
        trial = cls(settings=settings, seed=seed, strengths=said)
        trial.check(image)
        return trial

    @property
    def behaviour(self) -> Behaviour:
        return self.settings.behaviour

    @property
    def attacks(self) -> bool:
        """Whether each network has to be given."""
        return self.behaviour.attacks and self.stored is None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Clean, then each condition at each strength."""
        settings = self.settings
        return (CLEAN, *((name, strength) for name in settings.conditions for strength in settings.strengths))

    def batch(self, images: Tensor, cell: Cell, start: int, network: Attacked | None = None) -> Tensor:
        """uint8 [B,3,H,W], the `batch_size` images of a set from place `start` on, in a cell."""
        condition, strength = cell
        if cell == CLEAN:
            return images
        generator = torch.Generator(images.device)
        generator.manual_seed(derive_seed(self.seed, f"{condition} {strength}", start))
        given = Given(generator=generator, settings=self.settings, network=network)
        return self.behaviour.apply(images, condition, strength, given)

    def check(self, image: Tensor) -> None:
        """Change one image [1,3,H,W] each way, so that what can't be done is said early; attacks need no such check."""
        if not self.behaviour.attacks:
            for name in self.settings.conditions:
                self.batch(image, (name, 1), 0)
