"""Frost: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="frost",
    place=9,
    title="Frost",
    caption="Ice crystals on the lens.",
    family="weather",
    module=__name__,
    constants=rows("kept added", (1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    random=True,
    options=frozenset({"frost_textures"}),
)
