"""Robustness to common corruptions: noise, blur, weather and digital damage (Hendrycks & Dietterich 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bird_backend.behaviours.declaration import Behaviour, BehaviourSettings, Condition, Words
from bird_backend.corruptions import CORRUPTIONS, source_of_constants
from bird_backend.settings import expanded

if TYPE_CHECKING:
    from torch import Tensor

    from bird_backend.behaviours.corruptions.stored import CorruptedSet
    from bird_backend.behaviours.trial import Given
    from bird_backend.datasets import Within

__all__ = ["DECLARES", "CorruptionSettings"]


class CorruptionSettings(BehaviourSettings):
    """Where corrupted images come from."""

    reads: ClassVar[tuple[str, ...]] = ("corrupted_dir", "frost_textures")

    name: Literal["corruptions"] = "corruptions"
    corrupted_dir: str | None = Field(
        default=None,
        min_length=1,
        title="Folder of corrupted images",
        description="In CIFAR-10-C's layout: its images are read, instead of corrupting on the fly.",
    )
    faithful: bool = Field(
        default=False,
        title="Glass blur as published",
        description="Keep a slip of the published script, whose glass blur copies pixels where it means to swap them.",
    )
    frost_textures: str | None = Field(
        default=None,
        min_length=1,
        title="Folder of frost pictures",
        description="To lay over the images as frost, in place of the project's own.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> CorruptionSettings:
        if self.corrupted_dir is not None and (self.faithful or self.frost_textures is not None):
            raise ValueError("faithful and frost_textures are for corrupting on the fly, so not with a corrupted_dir")
        return self


def _conditions() -> Iterator[Condition]:
    for each in CORRUPTIONS.values():
        yield _condition(each.name, each.title, each.caption, each.family, each.held_out)


@lru_cache(maxsize=256)
def _condition(name: str, title: str, caption: str, family: str, held_out: bool) -> Condition:
    """Made once: every spec of a study of thousands asks for all of them."""
    return Condition(name=name, title=title, caption=caption, family=family, held_out=held_out)


def _apply(images: Tensor, condition: str, strength: int, given: Given) -> Tensor:
    from bird_backend.corruptions.applying import corrupt  # noqa: PLC0415 - torch

    settings: CorruptionSettings = given.settings
    textures = settings.frost_textures
    return corrupt(
        images,
        condition,
        strength,
        generator=given.generator,
        faithful=settings.faithful,
        frost_textures=None if textures is None else expanded(textures),
    )


def _stored(settings: Any, labels: Tensor, size: int, within: Within | None) -> CorruptedSet | None:
    from bird_backend.behaviours.corruptions.stored import open_corrupted_set  # noqa: PLC0415 - torch

    if settings.corrupted_dir is None:
        return None
    return open_corrupted_set(expanded(settings.corrupted_dir), settings.conditions, labels, size, within=within)


DECLARES = Behaviour(
    name="corruptions",
    place=10,
    title="Common corruptions",
    caption="Noise, blur, weather and digital damage: the nineteen kinds of CIFAR-10-C.",
    words=Words(
        condition="corruption",
        conditions="corruptions",
        strength="severity",
        strengths="severities",
        changed="corrupted",
        under="under corruption",
        how="The test images are spoiled in known ways, at five severities.",
        question="What do corruptions look like?",
    ),
    list_conditions=_conditions,
    strengths_at=lambda side: f"Severities have {source_of_constants(side)}.",
    settings=CorruptionSettings,
    apply=_apply,
    stored=_stored,
    pooled=True,
)
