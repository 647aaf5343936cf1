"""Glass blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="glass_blur",
    place=5,
    title="Glass blur",
    caption="Seen through frosted glass: neighbouring pixels change places.",
    family="blur",
    module=__name__,
    constants=rows("sigma reach passes", (0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    random=True,
    options=frozenset({"faithful"}),
)
