"""Contrast and pixels: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="contrast",
        place=12,
        title="Contrast",
        caption="Every pixel is drawn towards the image's mean colour.",
        family="digital",
        module=__name__,
        constants={
            CIFAR_C: rows("kept", 0.75, 0.5, 0.4, 0.3, 0.15),
            TINY_IMAGENET_C: rows("kept", 0.4, 0.3, 0.2, 0.1, 0.05),
            IMAGENET_C: rows("kept", 0.4, 0.3, 0.2, 0.1, 0.05),
        },
    ),
    Corruption(
        name="pixelate",
        place=14,
        title="Pixelate",
        caption="Shrunk, then enlarged again without smoothing.",
        family="digital",
        module=__name__,
        constants={
            CIFAR_C: rows("share", 0.95, 0.9, 0.85, 0.75, 0.65),
            TINY_IMAGENET_C: rows("share", 0.9, 0.8, 0.7, 0.6, 0.5),
            IMAGENET_C: rows("share", 0.6, 0.5, 0.4, 0.3, 0.25),
        },
    ),
)
