"""Training under a behaviour's conditions."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.augmenting import changing
from bird_backend.experiments.making import make_network
from bird_backend.experiments.robustify import RobustifySpec
from bird_backend.experiments.work import Work

__all__ = ["execute"]


def execute(spec: RobustifySpec, work: Work) -> dict[str, Any]:
    """Make a robust teacher."""
    data, behaviour = work.load(spec.data, spec.image_size), spec.behaviour
    images = changing(data.train, spec.training, spec.data, settings=behaviour, conditions=spec.train_conditions)
    phase = f"Training on {behaviour.behaviour.words.changed} images"
    return make_network(spec, data, work, role="teacher", phase=phase, images=images)
