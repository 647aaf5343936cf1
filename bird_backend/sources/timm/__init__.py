"""Every classifier of timm, where it is installed (`pip install -r requirements-extras.txt`), with random weights."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bird_backend.errors import InputError
from bird_backend.sources.declaration import Source

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DECLARES"]


def _check(name: str) -> None:
    """Its thousand names are asked for when one is built: to list them, timm has to import all of its networks."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
        raise InputError(
            f"A network of timm is named timm:NAME, such as timm:convnext_atto, without the tag of its weights, not"
            f" {name!r}."
        )


def _require(name: str) -> None:
    if importlib.util.find_spec("timm") is None:
        raise InputError(f"timm:{name} needs the package timm: pip install -r requirements-extras.txt.")


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    """Read in its code, where each network's function stands under `@register_model`: importing it takes torch."""
    found = importlib.util.find_spec("timm")
    places = [] if found is None else [Path(place) / "models" for place in found.submodule_search_locations or ()]
    texts = [path.read_text("utf-8") for place in places for path in sorted(place.glob("*.py"))]
    names = sorted(name for text in texts for name in re.findall(r"^@register_model\ndef (\w+)\(", text, re.MULTILINE))
    return {name: name for name in names}


def _fingerprint(_name: str) -> str:
    try:
        return f"timm {version('timm')}"
    except PackageNotFoundError:
        return "missing"


def _build(name: str, classes: int, image_size: int) -> nn.Module:
    from bird_backend.sources.timm.build import build  # noqa: PLC0415 - torch

    return build(name, classes, image_size)


DECLARES = Source(
    name="timm",
    place=20,
    form="timm:NAME",
    caption="Every classifier of the package timm, where it is installed.",
    check=_check,
    title=lambda name: f"{name} of timm",
    require=_require,
    fingerprint=_fingerprint,
    build=_build,
    names=_names,
)
