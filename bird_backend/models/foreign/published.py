"""Weights that torchvision publishes: told by the file's digest, part of which is in the name it is published under.

With them come the names of their classes, and how images have to be prepared.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from bird_backend.specs import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

__all__ = ["IMAGENET", "Published", "find_published", "looks_published", "usual_normalisation"]

IMAGENET = "ImageNet-1k"
_DIGEST = re.compile(r"-([0-9a-f]{8,})\.pth$")
_REPREPARING = ("googlenet", "inception_v3")
"""With published weights these prepare their images once more, from ImageNet's mean and std to halves; here they are
prepared so from the beginning."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What torchvision says of weights that it publishes."""

    title: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing


def find_published(source: Path, networks: tuple[str, ...]) -> Published | None:
    """Which of torchvision's published weights of `networks` (`torchvision:NAME` among them) this file is, if any."""
    from torchvision.models import get_model_weights  # noqa: PLC0415 - slow to import

    digest = ""
    for network in networks:
        source_name, _, name = network.rpartition(":")
        if source_name != "torchvision":
            continue
        for weights in get_model_weights(name):
            found = _DIGEST.search(weights.url)
            if found is None or not weights.meta["categories"]:
                continue
            digest = digest or _sha256(source)
            if digest.startswith(found[1]):
                transforms = weights.transforms()
                halves = (0.5, 0.5, 0.5) if name in _REPREPARING else None
                return Published(
                    title=str(weights),
                    classes=tuple(weights.meta["categories"]),
                    preprocessing=Preprocessing(
                        mean=halves or tuple(transforms.mean),
                        std=halves or tuple(transforms.std),
                        size=transforms.crop_size[0],
                    ),
                )
    return None


def usual_normalisation(network: str) -> Preprocessing:
    """What weights for ImageNet of this network usually have their images normalised with: as timm says of its own."""
    source, _, name = network.partition(":")
    if source == "timm":
        import timm  # noqa: PLC0415 - optional, and slow to import

        facts = timm.get_pretrained_cfg(name, allow_unregistered=True)
        if facts is not None and len(facts.mean) == len(facts.std) == 3:
            return Preprocessing.model_validate({"mean": facts.mean, "std": facts.std})
    return Preprocessing(mean=IMAGENET_MEAN, std=IMAGENET_STD)


def looks_published(file_name: str) -> bool:
    """Whether a file has a name as torchvision's cache gives, such as resnet50-0676ba61.pth."""
    return _DIGEST.search(file_name) is not None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
