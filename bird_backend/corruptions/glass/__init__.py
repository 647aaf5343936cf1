"""Glass blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, TINY_IMAGENET_C

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="glass_blur",
    place=5,
    title="Glass blur",
    caption="Seen through frosted glass: neighbouring pixels change places.",
    family="blur",
    module=__name__,
    constants={
        CIFAR_C: rows("sigma reach passes", (0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        TINY_IMAGENET_C: rows("sigma reach passes", (0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        IMAGENET_C: rows("sigma reach passes", (0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    },
    whole=frozenset({"reach", "passes"}),
    random=True,
    options=frozenset({"faithful"}),
)
