"""Blur out of focus and Gaussian blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="defocus_blur",
        place=4,
        title="Defocus blur",
        caption="Out of focus: each point becomes a small disk.",
        family="blur",
        module=__name__,
        constants={
            CIFAR_C: rows("radius sigma", (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            TINY_IMAGENET_C: rows("radius sigma", (0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
            IMAGENET_C: rows("radius sigma", (3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        },
    ),
    Corruption(
        name="gaussian_blur",
        place=17,
        title="Gaussian blur",
        caption="Each pixel becomes a weighted mean of its neighbourhood.",
        family="blur",
        module=__name__,
        constants={
            CIFAR_C: rows("sigma", 0.4, 0.6, 0.7, 0.8, 1.0),
            TINY_IMAGENET_C: rows("sigma", 0.5, 0.75, 1, 1.25, 1.5),
            IMAGENET_C: rows("sigma", 1, 2, 3, 4, 6),
        },
        held_out=True,
    ),
)
