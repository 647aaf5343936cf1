"""Corruptions: which there are, what each looks like, and which a robust teacher may train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bird_backend.errors import UnknownNameError

__all__ = ["CORRUPTIONS", "SEVERITIES", "CorruptionFacts", "find_corruption"]

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class CorruptionFacts:
    """A way of spoiling an image. *Seen* types may be trained on by a robust teacher, held-out ones never."""

    name: str
    title: str
    caption: str
    group: str
    seen: bool


CORRUPTIONS: Mapping[str, CorruptionFacts] = {
    facts.name: facts
    for facts in (
        CorruptionFacts(
            name="gaussian_noise",
            title="Gaussian noise",
            caption="Independent noise on each pixel and colour, as of a sensor in poor light.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="shot_noise",
            title="Shot noise",
            caption="Light comes in grains: noise that grows with brightness, as when few photons are counted.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="impulse_noise",
            title="Impulse noise",
            caption="Single values stuck at black or white, as from bit errors.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="defocus_blur",
            title="Defocus blur",
            caption="Out of focus: each point becomes a small disk.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="glass_blur",
            title="Glass blur",
            caption="Seen through frosted glass: neighbouring pixels change places.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="motion_blur",
            title="Motion blur",
            caption="The camera moved along a line while the shutter was open.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="zoom_blur",
            title="Zoom blur",
            caption="The camera moved towards the scene while the shutter was open.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="snow",
            title="Snow",
            caption="Flakes driven by wind, under a whitened sky.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="frost",
            title="Frost",
            caption="Ice crystals on the lens.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="fog",
            title="Fog",
            caption="A drifting haze that hides contrast.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="brightness",
            title="Brightness",
            caption="Everything is lighter, as in glaring daylight.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="contrast",
            title="Contrast",
            caption="Every pixel is drawn towards the image's mean colour.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="elastic_transform",
            title="Elastic transform",
            caption="Tilted, then stretched and squeezed in places, as on rubber.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="pixelate",
            title="Pixelate",
            caption="Shrunk, then enlarged again without smoothing.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="jpeg_compression",
            title="JPEG",
            caption="Stored at low quality: block borders and ringing.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="speckle_noise",
            title="Speckle noise",
            caption="Noise in proportion to brightness, as in radar and ultrasound.",
            group="noise",
            seen=False,
        ),
        CorruptionFacts(
            name="gaussian_blur",
            title="Gaussian blur",
            caption="Each pixel becomes a weighted mean of its neighbourhood.",
            group="blur",
            seen=False,
        ),
        CorruptionFacts(
            name="spatter",
            title="Spatter",
            caption="Drops of water on the lens; at severities 4 and 5, mud.",
            group="weather",
            seen=False,
        ),
        CorruptionFacts(
            name="saturate",
            title="Saturate",
            caption="Colours washed out at severities 1 and 2, glaring from 3.",
            group="digital",
            seen=False,
        ),
    )
}


def find_corruption(name: str) -> CorruptionFacts:
    """The facts of a corruption."""
    if name not in CORRUPTIONS:
        raise UnknownNameError("corruption", name, CORRUPTIONS)
    return CORRUPTIONS[name]
