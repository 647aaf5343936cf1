"""LP-FT: a linear probe first, then fine-tuning from it (Kumar 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bird_backend.transfer.declaration import FormField, Method, StartingSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "LinearProbeThenFineTuningSettings"]


class LinearProbeThenFineTuningSettings(StartingSettings):
    """The head alone for a `share` of the steps, then the whole network."""

    name: Literal["lp-ft"] = "lp-ft"
    share: Annotated[
        float,
        Field(gt=0, lt=1),
        FormField(label="Share of the steps for the head alone", help="After it the whole network trains."),
    ] = 0.5


def _build(settings: LinearProbeThenFineTuningSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.lp_ft.loss import LinearProbeThenFineTuning  # noqa: PLC0415 - torch

    return LinearProbeThenFineTuning(settings.share, networks.classifier)


DECLARES = Method(
    name="lp-ft",
    place=40,
    title="LP-FT",
    caption="A linear probe first, then fine-tuning from it, so that a new head doesn't spoil the features.",
    family="Go on from weights",
    settings=LinearProbeThenFineTuningSettings,
    build=_build,
    needs_head=True,
)
