"""JPEG: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="jpeg_compression",
    place=15,
    title="JPEG",
    caption="Stored at low quality: block borders and ringing.",
    family="digital",
    module=__name__,
    constants=rows("quality", 80, 65, 58, 50, 40),
)
