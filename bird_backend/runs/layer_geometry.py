"""What a layer map keeps of every layer to be looked at: Gram matrices of some images, and each image's neighbours.

Small on disk: 64 images in a Gram matrix and the neighbours of 256 are 8 kB a layer. Torch-free, for pages.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_arrays

__all__ = ["GEOMETRY", "LayerGeometry", "read_layer_geometry"]

GEOMETRY = "layer-geometry.npz"

Role = Literal["teacher", "student"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerGeometry:
    """Of the same validation images in both networks; layers are in the order of the layer map.

    `images` uint8 [N,T,T,3], `labels` [N], `classes` [K] names. `gram` [m] are places of those in the Gram matrices,
    sorted by class; `teacher_grams`, `student_grams` float16 [layers, m (m + 1) / 2] their upper triangles, centred and
    of unit Frobenius norm. `teacher_near`, `student_near` int16 [layers, N, k] are each image's nearest, nearest first.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: np.ndarray
    gram: np.ndarray
    teacher_layers: np.ndarray
    student_layers: np.ndarray
    teacher_grams: np.ndarray
    student_grams: np.ndarray
    teacher_near: np.ndarray
    student_near: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `layer-geometry.npz`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def gram_of(self, role: Role, layer: str) -> np.ndarray:
        """The Gram matrix [m, m] of a layer, float32; an `UnknownNameError` where there is no such layer."""
        size = len(self.gram)
        upper = np.zeros((size, size), np.float32)
        grams = self.teacher_grams if role == "teacher" else self.student_grams
        upper[np.triu_indices(size)] = grams[self._place(role, layer)]
        return upper + np.triu(upper, 1).T

    def near(self, role: Role, layer: str) -> np.ndarray:
        """Each image's nearest ones [N, k] at a layer, nearest first."""
        every = self.teacher_near if role == "teacher" else self.student_near
        found: np.ndarray = every[self._place(role, layer)]
        return found

    def _place(self, role: Role, layer: str) -> int:
        layers = [str(name) for name in (self.teacher_layers if role == "teacher" else self.student_layers)]
        if layer not in layers:
            raise UnknownNameError(f"measured layer of the {role}", layer, layers)
        return layers.index(layer)


def read_layer_geometry(directory: RunDirectory) -> LayerGeometry | None:
    """What a finished layer map kept; none where it kept nothing. A damaged file is an `InputError`."""

    def build(arrays: dict[str, np.ndarray]) -> LayerGeometry:
        found = LayerGeometry(**{field.name: arrays[field.name] for field in fields(LayerGeometry)})
        size = len(found.gram)
        for layers, grams, near in (
            (found.teacher_layers, found.teacher_grams, found.teacher_near),
            (found.student_layers, found.student_grams, found.student_near),
        ):
            if grams.shape != (len(layers), size * (size + 1) // 2) or near.shape[:2] != (
                len(layers),
                len(found.images),
            ):
                raise InputError(f"The file {GEOMETRY} of run {directory.path.name} can't be read: it is damaged.")
        return found

    return read_arrays(directory, GEOMETRY, lambda arrays: build(dict(arrays)))
