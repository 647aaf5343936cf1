"""JPEG: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="jpeg_compression",
    place=15,
    title="JPEG",
    caption="Stored at low quality: block borders and ringing.",
    family="digital",
    module=__name__,
    constants={
        CIFAR_C: rows("quality", 80, 65, 58, 50, 40),
        TINY_IMAGENET_C: rows("quality", 65, 58, 50, 40, 25),
        IMAGENET_C: rows("quality", 25, 18, 15, 10, 7),
    },
    whole=frozenset({"quality"}),
)
