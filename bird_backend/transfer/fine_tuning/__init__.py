"""Plain fine-tuning on clean data: what a transfer has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Entrant, Method, Start, StartingSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "FineTuningSettings"]


class FineTuningSettings(StartingSettings):
    """The task loss alone, on the student's own clean data."""

    name: Literal["fine-tuning"] = "fine-tuning"
    start: Start = "student"


def _build(_settings: FineTuningSettings, _networks: Networks) -> TransferMethod:
    from bird_backend.transfer.fine_tuning.loss import FineTuning  # noqa: PLC0415 - torch

    return FineTuning()


DECLARES = Method(
    name="fine-tuning",
    place=30,
    title="Fine-tuning",
    caption="The student goes on training on its own clean data: what BIRD has to beat.",
    family="Go on from weights",
    settings=FineTuningSettings,
    build=_build,
    role="reference",
    entrants=(
        Entrant(name="fine-tuning", title="Fine-tuning", role="reference", settings={"start": "student"}),
        Entrant(name="fine-tuning-teacher", title="Fine-tuning the teacher", settings={"start": "teacher"}),
    ),
)
