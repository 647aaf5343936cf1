"""Frost: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="frost",
    place=9,
    title="Frost",
    caption="Ice crystals on the lens.",
    family="weather",
    module=__name__,
    constants={
        CIFAR_C: rows(
            "kept added scale", (1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)
        ),
        TINY_IMAGENET_C: rows(
            "kept added scale", (1, 0.3, 0.3), (0.9, 0.4, 0.3), (0.8, 0.45, 0.3), (0.75, 0.5, 0.3), (0.7, 0.55, 0.3)
        ),
        IMAGENET_C: rows("kept added scale", (1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
    },
    random=True,
    options=frozenset({"frost_textures"}),
)
