"""Training on corrupted images."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.augmenting import corrupting
from bird_backend.experiments.making import make_network
from bird_backend.experiments.robustify import RobustifySpec
from bird_backend.experiments.work import Work

__all__ = ["execute"]


def execute(spec: RobustifySpec, work: Work) -> dict[str, Any]:
    """Make a robust teacher."""
    data = work.load(spec.data)
    images = corrupting(data.train, spec.training, spec.corruptions)
    return make_network(spec, data, work, role="teacher", phase="Training on corrupted images", images=images)
