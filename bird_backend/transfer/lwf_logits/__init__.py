"""LwF by logits: the old head goes on saying what it said (learning without forgetting, Li & Hoiem 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bird_backend.transfer.declaration import FormField, Method, Part, StartingSettings, Temperature

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "OldHeadSettings"]


class OldHeadSettings(StartingSettings):
    """Task loss + `beta` × T² KL of what the old head says to what it said at the beginning."""

    name: Literal["lwf-logits"] = "lwf-logits"
    beta: Annotated[
        float,
        Field(ge=0),
        FormField(label="λ, weight of what was said", help="How hard the old head is held to what it said."),
    ] = 1.0
    """The paper's lambda."""
    temperature: Temperature = 2.0


def _build(settings: OldHeadSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.lwf_logits.loss import OldHead  # noqa: PLC0415 - torch

    return OldHead(settings, networks)


DECLARES = Method(
    name="lwf-logits",
    place=70,
    title="LwF, logits",
    caption="Fine-tuning that keeps what the old head says near what it said (learning without forgetting).",
    family="Go on from weights",
    settings=OldHeadSettings,
    build=_build,
    needs_head=True,
    student_passes=4,
    parts={"distillation_loss": Part(label="Distillation loss", explained="how far the old head is from what it said")},
)
