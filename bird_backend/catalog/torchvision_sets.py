"""torchvision's own sets of labelled images, named `torchvision:NAME`: downloaded where they are not there yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bird_backend.catalog.narrowing import apart
from bird_backend.errors import UnknownNameError

__all__ = ["PREFIX", "TORCHVISION_SETS", "TorchvisionSet", "torchvision_set"]

PREFIX = "torchvision:"


@dataclass(frozen=True, kw_only=True)
class TorchvisionSet:
    """A class of `torchvision.datasets`, and how it is asked for each split it has; the others are cut from train."""

    name: str
    title: str
    image_size: int
    """The side in pixels that its images have unless a spec says another."""
    splits: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"train": {}})
    """Arguments by split, `train` among them."""
    mirrored: bool = True
    """Whether a mirrored image is still of its class."""


_HALVES = {"train": {"train": True}, "test": {"train": False}}
_PAIR = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE = {"train": {"split": "train"}, "validation": {"split": "val"}, "test": {"split": "test"}}
_BALANCED = {part: {"split": "balanced", **asked} for part, asked in _HALVES.items()}

TORCHVISION_SETS: Mapping[str, TorchvisionSet] = {
    facts.name: facts
    for facts in (
        TorchvisionSet(name="MNIST", title="MNIST", splits=_HALVES, image_size=32, mirrored=False),
        TorchvisionSet(name="KMNIST", title="Kuzushiji-MNIST", splits=_HALVES, image_size=32, mirrored=False),
        TorchvisionSet(name="QMNIST", title="QMNIST", splits=_HALVES, image_size=32, mirrored=False),
        TorchvisionSet(name="EMNIST", title="EMNIST, balanced", splits=_BALANCED, image_size=32, mirrored=False),
        TorchvisionSet(name="USPS", title="USPS", splits=_HALVES, image_size=32, mirrored=False),
        TorchvisionSet(name="GTSRB", title="German traffic signs", splits=_PAIR, image_size=48, mirrored=False),
        TorchvisionSet(name="EuroSAT", title="EuroSAT", image_size=64),
        TorchvisionSet(name="STL10", title="STL-10", splits=_PAIR, image_size=96),
        TorchvisionSet(name="DTD", title="Describable Textures", splits=_THREE, image_size=64),
        TorchvisionSet(name="Flowers102", title="Flowers", splits=_THREE, image_size=64),
        TorchvisionSet(name="FGVCAircraft", title="FGVC Aircraft", splits=_THREE, image_size=64),
        TorchvisionSet(name="Food101", title="Food-101", splits=_PAIR, image_size=64),
        TorchvisionSet(
            name="OxfordIIITPet",
            title="Oxford Pets",
            splits={"train": {"split": "trainval"}, "test": {"split": "test"}},
            image_size=64,
        ),
        TorchvisionSet(
            name="Country211",
            title="Country211",
            splits={"train": {"split": "train"}, "validation": {"split": "valid"}, "test": {"split": "test"}},
            image_size=64,
        ),
    )
}


def torchvision_set(name: str) -> TorchvisionSet | None:
    """What `torchvision:NAME` names; none of another kind of name, an `UnknownNameError` for a set that isn't here.

    Of a data set that is narrowed to some classes it is the whole.
    """
    if not name.startswith(PREFIX):
        return None
    asked = apart(name)[0].removeprefix(PREFIX)
    if asked not in TORCHVISION_SETS:
        raise UnknownNameError("data set of torchvision", asked, TORCHVISION_SETS)
    return TORCHVISION_SETS[asked]
