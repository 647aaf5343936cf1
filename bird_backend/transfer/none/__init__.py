"""None: the pre-trained student as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn

from bird_backend.transfer.declaration import Method, MethodSettings

if TYPE_CHECKING:
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "UntouchedSettings"]


class UntouchedSettings(MethodSettings):
    """No training at all: the floor."""

    name: Literal["none"] = "none"


def _build(_settings: UntouchedSettings, _networks: Networks) -> NoReturn:
    raise ValueError("there is nothing to train")


DECLARES = Method(
    name="none",
    place=10,
    title="None",
    caption="The pre-trained student, untouched: the floor.",
    family="Floor and ceiling",
    settings=UntouchedSettings,
    build=_build,
    role="floor",
    trains=False,
    student_passes=0,
)
