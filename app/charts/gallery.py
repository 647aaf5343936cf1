"""One image of a gallery under every condition and strength, packed for the browser."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from app.backend.data import Gallery
from app.charts.geometry import atlas
from app.charts.severity_grid import PARTS
from bird_backend.behaviours import BEHAVIOURS

__all__ = ["gallery_facts", "gallery_sheet"]

_LARGEST_WITHOUT_LOSS = 64


@lru_cache(maxsize=32)
def gallery_sheet(gallery: Gallery, image: int) -> Mapping[str, Any]:
    """A picture with a row a condition, a column a strength, and the image as it is in the last row."""
    changed = gallery.changed[image].reshape(-1, *gallery.images.shape[1:])
    pictures = np.concatenate([changed, gallery.images[image : image + 1]])
    return {"image": image, **atlas(pictures, columns=gallery.changed.shape[2], lossless=_is_small(pictures))}


def gallery_facts(gallery: Gallery) -> dict[str, Any]:
    """What each condition is, how they are grouped, and thumbnails of the images with their classes."""
    behaviour = BEHAVIOURS.find(str(gallery.behaviour))
    facts = [behaviour.find(str(name)) for name in gallery.conditions]
    parts = {key: [each.name for each in facts if each.held_out is (key == "held_out")] for key in PARTS}
    families = dict.fromkeys(each.family for each in facts)
    return {
        "words": {
            "strength": behaviour.words.strength.capitalize(),
            "strengths": behaviour.words.strengths.capitalize(),
            "conditions": behaviour.words.conditions.capitalize(),
        },
        "conditions": [
            {
                "name": each.name,
                "title": each.title,
                "caption": each.caption,
                "kind": each.family,
                "seen": not each.held_out,
            }
            for each in facts
        ],
        "groupings": {
            "part": [
                {"title": title, "note": note, "members": parts[key]}
                for key, (title, note) in PARTS.items()
                if parts[key]
            ],
            "kind": [
                {
                    "title": family.capitalize(),
                    "note": "",
                    "members": [each.name for each in facts if each.family == family],
                }
                for family in families
            ],
        },
        "names": ["Your picture" if label < 0 else str(gallery.classes[label]) for label in gallery.labels.tolist()],
        "thumbs": atlas(gallery.images, lossless=_is_small(gallery.images)),
    }


def _is_small(images: np.ndarray) -> bool:
    """Whether each pixel is to be seen: without any loss, a hundred photographs of 128 pixels a side are megabytes."""
    return bool(images.shape[1] <= _LARGEST_WITHOUT_LOSS)
