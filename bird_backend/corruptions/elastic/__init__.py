"""The elastic transform: facts and constants."""

from bird_backend.corruptions.declaration import Corruption, rows

__all__ = ["DECLARES"]

DECLARES = Corruption(
    name="elastic_transform",
    place=13,
    title="Elastic transform",
    caption="Tilted, then stretched and squeezed in places, as on rubber.",
    family="digital",
    module=__name__,
    # Shares of the image's shorter side.
    constants=rows(
        "amplitude sigma tilt",
        (0, 0, 0.08),
        (0.05, 0.2, 0.07),
        (0.08, 0.06, 0.06),
        (0.1, 0.04, 0.05),
        (0.1, 0.03, 0.03),
    ),
    random=True,
)
