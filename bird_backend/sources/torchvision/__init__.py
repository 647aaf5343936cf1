"""Every classifier of torchvision, with random weights, its stem and its head made to fit."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bird_backend.catalog import TORCHVISION
from bird_backend.errors import UnknownNameError
from bird_backend.sources.declaration import Source

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DECLARES"]


def _check(name: str) -> None:
    if name not in TORCHVISION:
        raise UnknownNameError("network of torchvision", name, TORCHVISION)


def _fingerprint(_name: str) -> str:
    try:
        return f"torchvision {version('torchvision')}"
    except PackageNotFoundError:
        return ""


def _build(name: str, classes: int, image_size: int) -> nn.Module:
    from bird_backend.sources.torchvision.build import build  # noqa: PLC0415 - torch

    return build(name, classes, image_size)


DECLARES = Source(
    name="torchvision",
    place=10,
    form="torchvision:NAME",
    caption="Every classifier that torchvision has.",
    check=_check,
    title=lambda name: TORCHVISION.get(name, name),
    require=_check,
    fingerprint=_fingerprint,
    build=_build,
    names=lambda: TORCHVISION,
)
