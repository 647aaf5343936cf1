"""RKD: distances and angles within a batch are to be as the teacher's (Park 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bird_backend.errors import InputError
from bird_backend.specs import ModelRef, Training
from bird_backend.transfer.declaration import Alpha, Beta, FormField, MatchingSettings, Method, Part

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "RelationalSettings"]


_MOST_TRIPLED = 512


class RelationalSettings(MatchingSettings):
    """How far is in distances and angles within the batch; together they weigh 25 and 50, as in Tian 2020.

    That is "Contrastive Representation Distillation", whose comparison weighs RKD, SP and PKT for CIFAR-100.
    """

    name: Literal["rkd"] = "rkd"
    alpha: Alpha = 1.0
    beta: Beta = 25.0
    distance_weight: Annotated[float, Field(ge=0), FormField(label="Weight of distances", step=0.5, expert=True)] = 1.0
    angle_weight: Annotated[float, Field(ge=0), FormField(label="Weight of angles", step=0.5, expert=True)] = 2.0


def _check(
    _: RelationalSettings, _teacher: ModelRef, _student: ModelRef, training: Training, _side: int | None
) -> None:
    if training.batch_size > _MOST_TRIPLED:
        raise InputError(
            f"RKD compares every three images of a batch, too many of {training.batch_size};"
            f" make the batch {_MOST_TRIPLED} or less."
        )


def _build(settings: RelationalSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.rkd.loss import Relational  # noqa: PLC0415 - torch

    return Relational(settings, networks.teacher)


DECLARES = Method(
    name="rkd",
    place=90,
    title="RKD",
    caption="Distances and angles within a batch are to be as the teacher's (relational distillation).",
    family="Follow the teacher",
    settings=RelationalSettings,
    build=_build,
    needs_teacher=True,
    parts={
        "representation_loss": Part(
            label="Representation loss", explained="how far distances and angles are from the teacher's"
        )
    },
    check=_check,
)
