"""A network's tensors by name, shape and format, without their numbers: a tenth of a second, and no memory."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import lru_cache

from torch import Tensor

from bird_backend.errors import InputError
from bird_backend.models.numberless import without_numbers
from bird_backend.models.registry import build_model
from bird_backend.sources import source_of

__all__ = ["CLASSES", "heads", "skeleton"]

CLASSES = 10
"""What a skeleton is built for where its number of classes is not the point."""


@lru_cache(maxsize=16)
def skeleton(name: str, *, classes: int, image_size: int) -> Mapping[str, Tensor]:
    """What `state_dict` would have of network `name`: tensors on the meta device.

    One that can't be built here, or not for images of this size, is an `InputError`.
    """
    source, _ = source_of(name)
    model = None
    if source is None or not source.own_code:
        # What fails here, because a constructor reads its own numbers, is tried again with them.
        with contextlib.suppress(InputError, NotImplementedError, RuntimeError), without_numbers():
            model = build_model(name, classes=classes, seed=0, image_size=image_size)
    model = model or build_model(name, classes=classes, seed=0, image_size=image_size)
    return {name: tensor.detach().to("meta") for name, tensor in model.state_dict().items()}


def heads(name: str, *, image_size: int) -> tuple[str, ...]:
    """The tensors of a network's classifier, which have a row for each class; the first is its weight.

    A network that has none, whatever the number of classes it is built for, is an `InputError`.
    """
    expected = skeleton(name, classes=CLASSES, image_size=image_size)
    other = skeleton(name, classes=CLASSES + 1, image_size=image_size)
    found = tuple(
        tensor
        for tensor, meta in expected.items()
        if meta.shape[:1] == (CLASSES,) and tensor in other and other[tensor].shape == (CLASSES + 1, *meta.shape[1:])
    )
    if not found:
        raise InputError(f"{name} does not change with the number of classes, so its classifier can't be told.")
    return found
