"""LP: a linear head on features that stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Method, StartingSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "LinearProbeSettings"]


class LinearProbeSettings(StartingSettings):
    """The task loss, and only the head moves."""

    name: Literal["linear-probe"] = "linear-probe"


def _build(_settings: LinearProbeSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.linear_probe.loss import LinearProbe  # noqa: PLC0415 - torch

    return LinearProbe(networks.classifier)


DECLARES = Method(
    name="linear-probe",
    place=20,
    title="Linear probe",
    caption="A new linear head is trained, and nothing else moves.",
    family="Go on from weights",
    settings=LinearProbeSettings,
    build=_build,
    needs_head=True,
    student_passes=1,
    done="probed",
)
