"""Zoom blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="zoom_blur",
    place=7,
    title="Zoom blur",
    caption="The camera moved towards the scene while the shutter was open.",
    family="blur",
    module=__name__,
    constants={
        CIFAR_C: rows("stop step", (1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        TINY_IMAGENET_C: rows("stop step", (1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        IMAGENET_C: rows("stop step", (1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    },
)
