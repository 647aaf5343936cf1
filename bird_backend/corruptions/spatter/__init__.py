"""Spatter: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="spatter",
    place=18,
    title="Spatter",
    caption="Drops of water on the lens; at severities 4 and 5, mud.",
    family="weather",
    module=__name__,
    constants={
        CIFAR_C: rows(
            "mean deviation sigma threshold weight mud",
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ),
        TINY_IMAGENET_C: rows(
            "mean deviation sigma threshold weight mud",
            (0.62, 0.1, 0.7, 0.7, 0.6, 0),
            (0.65, 0.1, 0.8, 0.7, 0.6, 0),
            (0.65, 0.3, 1, 0.69, 0.6, 0),
            (0.65, 0.1, 0.7, 0.68, 0.6, 1),
            (0.65, 0.1, 0.5, 0.67, 0.6, 1),
        ),
        IMAGENET_C: rows(
            "mean deviation sigma threshold weight mud",
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
    },
    whole=frozenset({"mud"}),
    held_out=True,
    random=True,
)
