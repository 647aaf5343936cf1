"""A network of one's own from a package: `module:PACKAGE.MODULE:FACTORY`, a function or class that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bird_backend.errors import InputError
from bird_backend.sources.code_files import code_files
from bird_backend.sources.declaration import Source
from bird_backend.sources.own_code import allow, module_file, split, without_file

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DECLARES"]

_FORM = "module:PACKAGE.MODULE:FACTORY"


def _check(name: str) -> None:
    module, _ = split(name, _FORM)
    if not all(piece.isidentifier() for piece in module.split(".")):
        raise InputError(f"A network of one's own is named {_FORM}, with a module's name, not {module!r}.")


def _title(name: str) -> str:
    module, factory = split(name, _FORM)
    return f"{factory} of {module}"


def _file(name: str) -> Path:
    module, _ = split(name, _FORM)
    path = module_file(module)
    allow(path or Path(), package=module)
    if path is None:
        raise InputError(without_file(module))
    return path


def _require(name: str) -> None:
    _file(name)


def _fingerprint(name: str) -> str:
    module, _ = split(name, _FORM)
    path = module_file(module)
    if path is None:
        return "missing"
    depth = module.count(".") + (path.name == "__init__.py")
    return code_files(path, path.parents[depth], package=module.partition(".")[0]).fingerprint


def _build(name: str, classes: int, image_size: int) -> nn.Module:
    from bird_backend.sources.module.build import build  # noqa: PLC0415 - torch

    module, factory = split(name, _FORM)
    return build(module, _file(name), factory, classes, image_size)


DECLARES = Source(
    name="module",
    place=40,
    form=_FORM,
    caption="A function or class of a package that can be imported, which makes the network for a number of classes.",
    check=_check,
    title=_title,
    require=_require,
    fingerprint=_fingerprint,
    build=_build,
    own_code=True,
)
