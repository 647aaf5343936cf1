"""A network of one's own from a Python file: `file:PATH.py:FACTORY`, a function or class that makes it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.sources.code_files import code_files
from bird_backend.sources.declaration import Source
from bird_backend.sources.own_code import file_of, split

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DECLARES"]

_FORM = "file:PATH.py:FACTORY"


def _check(name: str) -> None:
    place, _ = split(name, _FORM)
    if not place.endswith(".py"):
        raise InputError(f"A network of one's own is named {_FORM}, with a .py file, not {place!r}.")


def _title(name: str) -> str:
    place, factory = split(name, _FORM)
    return f"{factory} of {PurePath(place).name}"


def _require(name: str) -> None:
    file_of(split(name, _FORM)[0])


def _fingerprint(name: str) -> str:
    path = settings.found(split(name, _FORM)[0])
    return "missing" if path is None else code_files(path, path.parent).fingerprint


def _build(name: str, classes: int, image_size: int) -> nn.Module:
    from bird_backend.sources.file.build import build  # noqa: PLC0415 - torch

    place, factory = split(name, _FORM)
    return build(file_of(place), factory, classes, image_size)


DECLARES = Source(
    name="file",
    place=30,
    form=_FORM,
    caption="A function or class in a Python file that makes the network for a number of classes.",
    check=_check,
    title=_title,
    require=_require,
    fingerprint=_fingerprint,
    build=_build,
    own_code=True,
)
