"""Noise: facts and constants of four kinds."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="gaussian_noise",
        place=1,
        title="Gaussian noise",
        caption="Independent noise on each pixel and colour, as of a sensor in poor light.",
        family="noise",
        module=__name__,
        constants={
            CIFAR_C: rows("deviation", 0.04, 0.06, 0.08, 0.09, 0.10),
            TINY_IMAGENET_C: rows("deviation", 0.04, 0.08, 0.12, 0.15, 0.18),
            IMAGENET_C: rows("deviation", 0.08, 0.12, 0.18, 0.26, 0.38),
        },
        random=True,
    ),
    Corruption(
        name="shot_noise",
        place=2,
        title="Shot noise",
        caption="Light comes in grains: noise that grows with brightness, as when few photons are counted.",
        family="noise",
        module=__name__,
        constants={
            CIFAR_C: rows("photons", 500, 250, 100, 75, 50),
            TINY_IMAGENET_C: rows("photons", 250, 100, 50, 30, 15),
            IMAGENET_C: rows("photons", 60, 25, 12, 5, 3),
        },
        whole=frozenset({"photons"}),
        random=True,
    ),
    Corruption(
        name="impulse_noise",
        place=3,
        title="Impulse noise",
        caption="Single values stuck at black or white, as from bit errors.",
        family="noise",
        module=__name__,
        constants={
            CIFAR_C: rows("share", 0.01, 0.02, 0.03, 0.05, 0.07),
            TINY_IMAGENET_C: rows("share", 0.01, 0.02, 0.05, 0.08, 0.14),
            IMAGENET_C: rows("share", 0.03, 0.06, 0.09, 0.17, 0.27),
        },
        random=True,
    ),
    Corruption(
        name="speckle_noise",
        place=16,
        title="Speckle noise",
        caption="Noise in proportion to brightness, as in radar and ultrasound.",
        family="noise",
        module=__name__,
        constants={
            CIFAR_C: rows("deviation", 0.06, 0.1, 0.12, 0.16, 0.2),
            TINY_IMAGENET_C: rows("deviation", 0.15, 0.2, 0.25, 0.3, 0.35),
            IMAGENET_C: rows("deviation", 0.15, 0.2, 0.35, 0.45, 0.6),
        },
        held_out=True,
        random=True,
    ),
)
