"""Fog: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="fog",
    place=10,
    title="Fog",
    caption="A drifting haze that hides contrast.",
    family="weather",
    module=__name__,
    constants={
        CIFAR_C: rows("amount decay", (0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        TINY_IMAGENET_C: rows("amount decay", (0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        IMAGENET_C: rows("amount decay", (1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    },
    random=True,
)
