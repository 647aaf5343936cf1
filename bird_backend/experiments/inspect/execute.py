"""Reading a data set to say what is in it."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.inspect import InspectSpec
from bird_backend.experiments.work import Work

__all__ = ["execute"]


def execute(spec: InspectSpec, work: Work) -> dict[str, Any]:
    """What a data set says of itself: `classes`, `counts` by split and class, `reading`, and `remarks` in words."""
    return work.load(spec.data, spec.image_size).describe()
