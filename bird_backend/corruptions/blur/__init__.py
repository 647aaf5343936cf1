"""Blur out of focus and Gaussian blur: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="defocus_blur",
        place=4,
        title="Defocus blur",
        caption="Out of focus: each point becomes a small disk.",
        family="blur",
        module=__name__,
        constants=rows("radius sigma", (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    ),
    Corruption(
        name="gaussian_blur",
        place=17,
        title="Gaussian blur",
        caption="Each pixel becomes a weighted mean of its neighbourhood.",
        family="blur",
        module=__name__,
        constants=rows("sigma", 0.4, 0.6, 0.7, 0.8, 1.0),
        held_out=True,
    ),
)
