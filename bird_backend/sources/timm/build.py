"""timm's classifiers at any image size that they can take, with small stems below 64 pixels."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Any

from torch import nn

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models.numberless import without_numbers
from bird_backend.models.stems import SMALL_IMAGE, Change, change_stem, plan_stem

__all__ = ["build"]


def build(name: str, classes: int, image_size: int) -> nn.Module:
    """The network; a name that timm hasn't is an `UnknownNameError`, a size it can't take an `InputError`."""
    import timm  # noqa: PLC0415 - optional, and slow to import

    if not timm.is_model(name):
        raise UnknownNameError("network of timm", name, timm.list_models())
    small = image_size < SMALL_IMAGE
    try:
        if _is_fixed(name):
            return _sized(name, classes, image_size)
        model = _create(name, num_classes=classes)
        if small:
            change_stem(model, _plan(name))
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise InputError(
            f"timm:{name} can't be made for images of {image_size}×{image_size} pixels ({str(error)[:_MOST_WORDS]});"
            f" it is made for {_own_size(name)}."
        ) from error
    return model


_MOST_WORDS = 200


def _create(name: str, **settings: Any) -> nn.Module:
    import timm  # noqa: PLC0415 - optional, and slow to import

    model: nn.Module = timm.create_model(name, pretrained=False, **settings)
    return model


def _facts(name: str) -> Any:
    from timm.models import get_pretrained_cfg  # noqa: PLC0415 - optional, and slow to import

    return get_pretrained_cfg(name, allow_unregistered=True)


def _is_fixed(name: str) -> bool:
    """Whether it is made for one image size, which its constructor takes."""
    return bool(getattr(_facts(name), "fixed_input_size", False))


def _own_size(name: str) -> str:
    size = getattr(_facts(name), "input_size", (3, 224, 224))[-1]
    return f"{size}×{size}"


@lru_cache(maxsize=128)
def _plan(name: str) -> tuple[Change, ...]:
    return plan_stem(lambda: _create(name))


@lru_cache(maxsize=128)
def _patch(name: str) -> int | None:
    """Pixels a side of its patches; none where it has no patches of a size that its constructor takes."""
    with contextlib.suppress(RuntimeError, NotImplementedError), without_numbers():
        first = next((module for module in _create(name).modules() if isinstance(module, nn.Conv2d)), None)
        if first is not None and first.kernel_size == first.stride:
            return first.stride[0]
    return None


def _sized(name: str, classes: int, image_size: int) -> nn.Module:
    settings = {"num_classes": classes, "img_size": image_size}
    if image_size < SMALL_IMAGE and _patch(name):
        with contextlib.suppress(TypeError):  # its patches are what they are
            return _create(name, **settings, patch_size=_small_patch(name, image_size))
    return _create(name, **settings)


def _small_patch(name: str, image_size: int) -> int:
    """An eighth of the image, so that there are 64; half of small patches, which later stages halve further."""
    own = _patch(name) or 1
    return image_size // 8 if own > 4 else max(own // 2, 1)
