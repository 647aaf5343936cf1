"""The geometry of a student of one's own beside its teacher's: what a recording draws at each snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from bird_backend.activations import Pooling, find_layer
from bird_backend.datasets import Split
from bird_backend.errors import InputError
from bird_backend.evaluation import Geometry, Snapshotter, layer_features, probes_among
from bird_backend.measures import Interval
from bird_backend.models.discovery import learn_layouts
from bird_backend.recording.seeing import Seen, Transform, device_of
from bird_backend.transfer.bird.catching import bare

__all__ = ["Drawing", "First"]

_MOST_IMAGES = 5000
_GRAM_IMAGES = 128


@dataclass(frozen=True, kw_only=True)
class First:
    """What is kept once: arrays of `probes.npz`, and of the teacher's snapshot."""

    probes: dict[str, np.ndarray]
    teacher: dict[str, np.ndarray]


class Drawing:
    """Teacher and student at one layer each, looking at the same images, each through its own preparation."""

    def __init__(
        self,
        *,
        student: nn.Module,
        teacher: nn.Module,
        layers: tuple[str, str],
        probes: tuple[Split, tuple[str, ...]],
        transforms: tuple[Transform | None, Transform | None],
        pooling: Pooling,
    ) -> None:
        """`layers` are the teacher's and the student's, `transforms` the student's and the teacher's."""
        split, classes = probes
        if len(split) < 4:
            raise InputError(f"CKA needs at least 4 probe images, better hundreds; these are {len(split)}.")
        self._student, self._teacher = bare(student), bare(teacher)
        for network, layer in ((self._teacher, layers[0]), (self._student, layers[1])):
            find_layer(network, layer)
        self._layers = layers
        self._transforms = transforms
        self._pooling: Pooling = pooling
        self._probes = probes_among(split, classes, embedding=_MOST_IMAGES, gram=_GRAM_IMAGES)
        self.classes, self.image_size = classes, split.images.shape[-1]
        self._snapshotter: Snapshotter | None = None
        self._seen: list[Geometry] = []

    @property
    def similarities(self) -> dict[str, Interval]:
        """CKA at the first and the last snapshot, with its null, as figures of the student."""
        if not self._seen:
            return {}
        first, last = self._seen[0], self._seen[-1]
        found = {"cka_before": first.cka, "cka_after": last.cka, "cka_null": last.null}
        return {name: Interval.of_number(value, last.n) for name, value in found.items()}

    def begin(self) -> First | None:
        """Look at the teacher, the first time: not before, for networks move to their device after they are named."""
        if self._snapshotter is not None:
            return None
        for network, transform in zip((self._student, self._teacher), self._transforms, strict=True):
            learn_layouts(Seen(network, transform), self.image_size)
        layer = f"network.{self._layers[0]}"
        images = self._probes.images.to(device_of(self._teacher))
        seen = Seen(self._teacher, self._transforms[1])
        device = device_of(self._student)
        guiding = layer_features(seen, images, (layer,), self._pooling)[layer].to(device)
        if not bool(guiding.isfinite().all()):
            raise InputError(f"The teacher's features at {self._layers[0]} are not finite numbers.")
        probes = self._probes.to(device)
        self._snapshotter = Snapshotter(probes, guiding, layer=f"network.{self._layers[1]}", pooling=self._pooling)
        arrays = Snapshotter(probes, guiding, layer=layer, pooling=self._pooling).arrays(guiding)
        return First(probes=self._probes.arrays(), teacher=arrays)

    def draw(self) -> tuple[Geometry, dict[str, np.ndarray]] | None:
        """The student as it is now; none where its features are not finite."""
        if self._snapshotter is None:
            return None
        drawn = self._snapshotter.draw(Seen(self._student, self._transforms[0]))
        if drawn is not None:
            self._seen.append(drawn[0])
        return drawn
