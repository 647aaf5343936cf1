"""How a network wants its images: pre-processing belongs to a network, not to a data set."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bird_backend.specs.parts import Spec

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "OURS", "Preprocessing"]

Mean = Annotated[float, Field(ge=0, le=1)]
Deviation = Annotated[float, Field(gt=0, le=10)]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Those of nearly all networks that others trained."""


class Preprocessing(Spec):
    """(pixels / 255 − mean) / std for red, green and blue, of images of `size` × `size` pixels."""

    mean: tuple[Mean, Mean, Mean]
    std: tuple[Deviation, Deviation, Deviation]
    size: int | None = Field(default=None, ge=8, le=1024)
    """None: images come at the size that they have."""


OURS = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
"""What every batch is normalised with; networks without pre-processing of their own see it as it is."""
