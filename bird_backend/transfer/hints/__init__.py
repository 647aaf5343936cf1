"""Hints: a learned linear map has to tell the teacher's features from the student's (FitNets, Romero 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.specs import LayerPair, ModelRef, Training
from bird_backend.transfer.declaration import MatchingSettings, Method, Part

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "HintsSettings", "check_projection"]


class HintsSettings(MatchingSettings):
    """How far is half the squared distance after a learned linear map."""

    name: Literal["hints"] = "hints"


_MOST_WEIGHTS = 2**26


def _check(settings: HintsSettings, teacher: ModelRef, student: ModelRef, _: Training, image_size: int | None) -> None:
    """A map between flattened layers has a meaning, and fits into memory."""
    known = [catalog.models().get(ref.model) for ref in (teacher, student)]
    if settings.pooling != "flatten" or any(facts is None or facts.image_size != image_size for facts in known):
        return  # what shapes other networks have, or these at other sizes, turns out when they run
    for pair in settings.pairs:
        theirs = catalog.find_layer(teacher.model, pair.teacher).shape
        check_projection(pair, theirs, catalog.find_layer(student.model, pair.student).shape)


def check_projection(pair: LayerPair, theirs: Sequence[int], own: Sequence[int]) -> None:
    """An `InputError` where a map between the pair's flattened layers of these shapes can't be."""
    named = f"{pair.teacher} {list(theirs)} and {pair.student} {list(own)}"
    if len(theirs) != len(own):
        raise InputError(
            f"A projection between {named} is between shapes of different rank, where flattened positions mean"
            " different things; use pooling mean."
        )
    if (weights := math.prod(theirs) * math.prod(own)) > _MOST_WEIGHTS:
        raise InputError(
            f"A projection between {named} flattened would have {weights:,} weights, more than the"
            f" {_MOST_WEIGHTS:,} allowed; use pooling mean."
        )


def _build(settings: HintsSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.hints.loss import Hints  # noqa: PLC0415 - torch

    return Hints(settings, networks)


DECLARES = Method(
    name="hints",
    place=50,
    title="Hints",
    caption="A learned linear map has to tell the teacher's features from the student's (FitNets).",
    family="Follow the teacher",
    settings=HintsSettings,
    build=_build,
    needs_teacher=True,
    parts={
        "representation_loss": Part(
            label="Representation loss", explained="half the squared distance of mapped features to the teacher's"
        )
    },
    check=_check,
)
