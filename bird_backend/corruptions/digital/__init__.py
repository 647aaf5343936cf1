"""Contrast and pixels: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="contrast",
        place=12,
        title="Contrast",
        caption="Every pixel is drawn towards the image's mean colour.",
        family="digital",
        module=__name__,
        constants=rows("kept", 0.75, 0.5, 0.4, 0.3, 0.15),
    ),
    Corruption(
        name="pixelate",
        place=14,
        title="Pixelate",
        caption="Shrunk, then enlarged again without smoothing.",
        family="digital",
        module=__name__,
        constants=rows("share", 0.95, 0.9, 0.85, 0.75, 0.65),
    ),
)
