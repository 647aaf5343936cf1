"""Brightness and saturation: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="brightness",
        place=11,
        title="Brightness",
        caption="Everything is lighter, as in glaring daylight.",
        family="weather",
        module=__name__,
        constants={
            CIFAR_C: rows("added", 0.05, 0.1, 0.15, 0.2, 0.3),
            TINY_IMAGENET_C: rows("added", 0.1, 0.2, 0.3, 0.4, 0.5),
            IMAGENET_C: rows("added", 0.1, 0.2, 0.3, 0.4, 0.5),
        },
    ),
    Corruption(
        name="saturate",
        place=19,
        title="Saturate",
        caption="Colours washed out at severities 1 and 2, glaring from 3.",
        family="digital",
        module=__name__,
        constants={
            CIFAR_C: rows("factor added", (0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
            TINY_IMAGENET_C: rows("factor added", (0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
            IMAGENET_C: rows("factor added", (0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        },
        held_out=True,
    ),
)
