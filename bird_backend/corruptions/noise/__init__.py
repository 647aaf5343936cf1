"""Noise: facts and constants of four kinds."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = (
    Corruption(
        name="gaussian_noise",
        place=1,
        title="Gaussian noise",
        caption="Independent noise on each pixel and colour, as of a sensor in poor light.",
        family="noise",
        module=__name__,
        constants=rows("deviation", 0.04, 0.06, 0.08, 0.09, 0.10),
        random=True,
    ),
    Corruption(
        name="shot_noise",
        place=2,
        title="Shot noise",
        caption="Light comes in grains: noise that grows with brightness, as when few photons are counted.",
        family="noise",
        module=__name__,
        constants=rows("photons", 500, 250, 100, 75, 50),
        random=True,
    ),
    Corruption(
        name="impulse_noise",
        place=3,
        title="Impulse noise",
        caption="Single values stuck at black or white, as from bit errors.",
        family="noise",
        module=__name__,
        constants=rows("share", 0.01, 0.02, 0.03, 0.05, 0.07),
        random=True,
    ),
    Corruption(
        name="speckle_noise",
        place=16,
        title="Speckle noise",
        caption="Noise in proportion to brightness, as in radar and ultrasound.",
        family="noise",
        module=__name__,
        constants=rows("deviation", 0.06, 0.1, 0.12, 0.16, 0.2),
        held_out=True,
        random=True,
    ),
)
