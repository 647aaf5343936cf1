"""Oracle: the student trained for the behaviour directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Method, MethodSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "OracleSettings"]


class OracleSettings(MethodSettings):
    """The task loss on images changed as an aligned teacher's are: the ceiling."""

    name: Literal["oracle"] = "oracle"


def _build(_settings: OracleSettings, _networks: Networks) -> TransferMethod:
    from bird_backend.transfer.fine_tuning.loss import FineTuning  # noqa: PLC0415 - torch

    return FineTuning()


DECLARES = Method(
    name="oracle",
    place=130,
    title="Oracle",
    caption="The student trained under the seen conditions directly: the ceiling.",
    family="Floor and ceiling",
    settings=OracleSettings,
    build=_build,
    role="ceiling",
    under_conditions=True,
)
