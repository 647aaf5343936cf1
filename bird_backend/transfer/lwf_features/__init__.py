"""LwF by features: fine-tuning that keeps the head's input near where it began (Shafahi 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bird_backend.transfer.declaration import FormField, Method, Part, StartingSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "FeatureDriftSettings"]


class FeatureDriftSettings(StartingSettings):
    """Task loss + `beta` × how far the head's input has moved from where it began."""

    name: Literal["lwf-features"] = "lwf-features"
    beta: Annotated[
        float,
        Field(ge=0),
        FormField(label="λ, weight of the drift", help="How hard the head's input is held where it began."),
    ] = 0.1
    """The paper's lambda, of which it tries several values."""


def _build(settings: FeatureDriftSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.lwf_features.loss import FeatureDrift  # noqa: PLC0415 - torch

    return FeatureDrift(settings.beta, networks)


DECLARES = Method(
    name="lwf-features",
    place=60,
    title="LwF, features",
    caption="Fine-tuning that keeps the head's input near where it began.",
    family="Go on from weights",
    settings=FeatureDriftSettings,
    build=_build,
    needs_head=True,
    student_passes=4,
    parts={"drift_loss": Part(label="Drift", explained="how far the head's input has moved")},
)
