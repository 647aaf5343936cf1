"""Motion blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="motion_blur",
    place=6,
    title="Motion blur",
    caption="The camera moved along a line while the shutter was open.",
    family="blur",
    module=__name__,
    constants={
        CIFAR_C: rows("radius sigma", (6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        TINY_IMAGENET_C: rows("radius sigma", (10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        IMAGENET_C: rows("radius sigma", (10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    },
    whole=frozenset({"radius"}),
    random=True,
)
