"""Motion blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="motion_blur",
    place=6,
    title="Motion blur",
    caption="The camera moved along a line while the shutter was open.",
    family="blur",
    module=__name__,
    constants=rows("radius sigma", (6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    random=True,
)
