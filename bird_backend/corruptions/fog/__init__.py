"""Fog: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="fog",
    place=10,
    title="Fog",
    caption="A drifting haze that hides contrast.",
    family="weather",
    module=__name__,
    constants=rows("amount decay", (0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    random=True,
)
