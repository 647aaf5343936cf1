"""The elastic transform: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

_SLIP = 244 / 224
"""ImageNet-C's lengths are shares of 244 pixels, where its images have 224."""

DECLARES = Corruption(
    name="elastic_transform",
    place=13,
    title="Elastic transform",
    caption="Tilted, then stretched and squeezed in places, as on rubber.",
    family="digital",
    module=__name__,
    # Shares of the image's shorter side.
    constants={
        CIFAR_C: rows(
            "amplitude sigma tilt",
            (0, 0, 0.08),
            (0.05, 0.2, 0.07),
            (0.08, 0.06, 0.06),
            (0.1, 0.04, 0.05),
            (0.1, 0.03, 0.03),
        ),
        TINY_IMAGENET_C: rows(
            "amplitude sigma tilt",
            (0, 0, 0.08),
            (0.05, 0.3, 0.06),
            (0.1, 0.08, 0.06),
            (0.1, 0.03, 0.03),
            (0.16, 0.03, 0.02),
        ),
        IMAGENET_C: rows(
            "amplitude sigma tilt",
            (2 * _SLIP, 0.7 * _SLIP, 0.1 * _SLIP),
            (2 * _SLIP, 0.08 * _SLIP, 0.2 * _SLIP),
            (0.05 * _SLIP, 0.01 * _SLIP, 0.02 * _SLIP),
            (0.07 * _SLIP, 0.01 * _SLIP, 0.02 * _SLIP),
            (0.12 * _SLIP, 0.01 * _SLIP, 0.02 * _SLIP),
        ),
    },
    random=True,
)
