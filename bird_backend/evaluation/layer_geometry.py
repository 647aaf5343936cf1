"""Every layer's Gram matrix of a few images and the neighbours of some more, to see what a CKA is made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bird_backend.evaluation.probes import Probes
from bird_backend.evaluation.thumbnails import thumbnails
from bird_backend.runs.layer_geometry import LayerGeometry
from bird_backend.similarity import centred_gram
from bird_backend.similarity.gram import centre

__all__ = ["GRAM", "layer_geometry", "nearest"]

GRAM = 64
"""Images in each Gram matrix."""
_LOOKED_AT, _NEIGHBOURS = 256, 8
_SIDE = 32
"""Pixels of a picture beside others."""


def layer_geometry(teacher: Mapping[str, Tensor], student: Mapping[str, Tensor], probes: Probes) -> LayerGeometry:
    """Of both networks' pooled features [N, d] of the probes, by layer."""
    count = min(_LOOKED_AT, len(probes.images))
    near = {role: [nearest(each[:count]) for each in features.values()] for role, features in _both(teacher, student)}
    grams = {
        role: [_upper(each[probes.gram]) for each in features.values()] for role, features in _both(teacher, student)
    }
    return LayerGeometry(
        images=thumbnails(probes.images[:count], _SIDE),
        labels=probes.labels[:count].cpu().numpy(),
        classes=np.array(probes.classes),
        gram=probes.gram.cpu().numpy(),
        teacher_layers=np.array(list(teacher)),
        student_layers=np.array(list(student)),
        teacher_grams=np.stack(grams["teacher"]),
        student_grams=np.stack(grams["student"]),
        teacher_near=np.stack(near["teacher"]),
        student_near=np.stack(near["student"]),
    )


def nearest(features: Tensor, count: int = _NEIGHBOURS) -> np.ndarray:
    """Of each row of `features` [N, d] the `count` rows it is most alike with, int16 [N, count], the most alike first.

    Alike is the cosine of centred features: the Gram matrix with every image's own length taken out.
    """
    directions = functional.normalize(centre(features), dim=1)
    alike = directions @ directions.T
    alike.fill_diagonal_(-torch.inf)
    found = alike.topk(min(count, len(features) - 1), dim=1).indices
    return found.cpu().numpy().astype(np.int16)


def _both(teacher: Mapping[str, Tensor], student: Mapping[str, Tensor]) -> tuple[tuple[str, Mapping[str, Tensor]], ...]:
    return ("teacher", teacher), ("student", student)


def _upper(features: Tensor) -> np.ndarray:
    gram: np.ndarray = centred_gram(features).cpu().numpy().astype(np.float16)
    return gram[np.triu_indices(len(gram))]
