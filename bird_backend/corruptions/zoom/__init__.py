"""Zoom blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="zoom_blur",
    place=7,
    title="Zoom blur",
    caption="The camera moved towards the scene while the shutter was open.",
    family="blur",
    module=__name__,
    constants=rows("stop", 1.06, 1.11, 1.16, 1.21, 1.26),
)
