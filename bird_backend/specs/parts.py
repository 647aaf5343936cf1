"""What specs are made of: a network, a budget, what is measured and what is kept along the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bird_backend import catalog
from bird_backend.errors import is_plain
from bird_backend.sources import check_network, title_of_network

__all__ = [
    "IMAGE_SIZES",
    "DataName",
    "Evaluation",
    "ImageSize",
    "LayerPair",
    "ModelName",
    "ModelRef",
    "Snapshots",
    "Spec",
    "Training",
    "WeightsName",
]


class Spec(BaseModel):
    """Frozen and strict: an unknown field is an error rather than silence, and `true` or `"3"` is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    reads: ClassVar[tuple[str, ...]] = ()
    """Fields that hold the path of a folder or file which is read: the result depends on what lies there."""

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, given: Any) -> Any:
        """JSON has lists where a frozen spec has tuples; text has to be such that it can be shown and stored."""
        if not isinstance(given, Mapping):
            return given
        for name, value in given.items():
            if isinstance(value, str) and not is_plain(value):
                raise ValueError(f"{name} has characters that are no text, {value!r}")
        return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


ModelName = Annotated[
    str,
    AfterValidator(check_network),
    Field(
        description="a network of the catalogue, `torchvision:NAME`, `timm:NAME`, `file:PATH.py:FACTORY` or"
        " `module:PACKAGE.MODULE:FACTORY`"
    ),
]


DataName = Annotated[
    str,
    AfterValidator(catalog.data_name),
    Field(
        description="a data set by name, `torchvision:NAME`, or one's own, such as `folder:PATH`; with some of its"
        " classes after a `#`, by place or name, it is narrowed to them: `fashion-mnist-small#0-4`"
    ),
]
IMAGE_SIZES = range(16, 513, 8)
"""Sides in pixels that images can be brought to."""


def _known_size(size: Any) -> Any:
    if size == "auto" or (isinstance(size, int) and not isinstance(size, bool) and size in IMAGE_SIZES):
        return size
    said = repr(size) if isinstance(size, str) else size
    raise ValueError(
        f"the side of the images is auto or a multiple of 8 from {IMAGE_SIZES[0]} to {IMAGE_SIZES[-1]}, not {said}"
    )


ImageSize = Annotated[
    Literal["auto"] | int,
    BeforeValidator(_known_size),
    Field(description="the side of the images in pixels; `auto`: the data set's own, `catalog.own_image_size`"),
]
WeightsName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$", description="what the weights will be called")
]


class ModelRef(Spec):
    """A network and where its weights come from."""

    model: ModelName
    weights: str | None = None
    """The name of weights, or the path of a `.safetensors` file; none: random weights drawn from the run's seed."""

    @property
    def title(self) -> str:
        """What a person calls it: its weights by name, a network without any by its own."""
        return PurePath(self.weights).stem if self.weights else f"random {self.network_title}"

    @property
    def network_title(self) -> str:
        """What a person calls its architecture."""
        return title_of_network(self.model)


class LayerPair(Spec):
    """The teacher's guiding layer, the student's guided layer, and the pair's share of the representation loss."""

    teacher: str
    student: str
    weight: float = Field(default=1.0, gt=0)


class Training(Spec):
    """The budget and settings of one training loop. The learning rate falls to zero on a cosine, stepped per batch."""

    epochs: int = Field(default=4, ge=1, le=2000)
    batch_size: int = Field(default=128, ge=4, le=8192)
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = Field(default=0.005, gt=0, le=10)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0, le=1)
    shift: bool = True
    """Move each image by up to an eighth of its side, drawn anew at each step: four pixels of 32."""
    mirror: bool | Literal["auto"] = "auto"
    """Mirror every second image, drawn anew at each step; `auto`: where a mirrored one is still of its class."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    checkpoint_every: int = Field(default=200, ge=1)
    """Steps between checkpoints a run can resume from."""

    def rate(self, step: int, total: int) -> float:
        """The learning rate of `step` (from 0) of `total`: `lr` at the first, falling to zero after the last."""
        return self.lr * 0.5 * (1 + math.cos(math.pi * step / total))


class Evaluation(Spec):
    """On how much the networks are measured, once, at the end."""

    limit: int | None = Field(default=None, ge=1)
    """At most so many test images, the same for every model of the run."""


class Snapshots(Spec):
    """What is kept along the way for looking at: validation images, never test images."""

    count: int = Field(default=20, ge=2, le=200)
    """Points of a training run at which the geometry is recorded."""
    gram_images: int = Field(default=128, ge=16, le=256)
    embedding_images: int = Field(default=1000, ge=32, le=5000)
