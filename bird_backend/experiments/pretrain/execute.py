"""Training on clean images."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.augmenting import clean
from bird_backend.experiments.making import make_network
from bird_backend.experiments.pretrain import PretrainSpec
from bird_backend.experiments.work import Work

__all__ = ["execute"]


def execute(spec: PretrainSpec, work: Work) -> dict[str, Any]:
    """Make a network for the task alone."""
    data = work.load(spec.data, spec.image_size)
    images = clean(data.train, spec.training, spec.data)
    return make_network(spec, data, work, role=spec.role, phase="Training", images=images)
