"""One image of a gallery under every corruption and severity, packed for the browser."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from app.backend.data import Gallery
from app.charts.geometry import atlas
from app.charts.severity_grid import KINDS
from bird_backend.corruptions import CORRUPTIONS

__all__ = ["gallery_facts", "gallery_sheet"]


@lru_cache(maxsize=32)
def gallery_sheet(gallery: Gallery, image: int) -> Mapping[str, Any]:
    """A picture with a row a corruption, a column a severity, and the image as it is in the last row."""
    spoiled = gallery.corrupted[image].reshape(-1, *gallery.images.shape[1:])
    pictures = np.concatenate([spoiled, gallery.images[image : image + 1]])
    return {"image": image, **atlas(pictures, columns=gallery.corrupted.shape[2], lossless=True)}


def gallery_facts(gallery: Gallery) -> dict[str, Any]:
    """What each corruption is, how they are grouped, and thumbnails of the images with their classes."""
    facts = [CORRUPTIONS.find(str(name)) for name in gallery.corruptions]
    parts = (
        ("Seen", "kinds that a robust teacher may train on", True),
        ("Held out", "kinds that no model ever trains on", False),
    )
    return {
        "corruptions": [
            {
                "name": each.name,
                "title": each.title,
                "caption": each.caption,
                "kind": KINDS[each.family].lower(),
                "seen": not each.held_out,
            }
            for each in facts
        ],
        "groupings": {
            "part": [
                {"title": title, "note": note, "members": [each.name for each in facts if each.held_out is not seen]}
                for title, note, seen in parts
            ],
            "kind": [
                {"title": title, "note": "", "members": [each.name for each in facts if each.family == kind]}
                for kind, title in KINDS.items()
            ],
        },
        "names": ["Your picture" if label < 0 else str(gallery.classes[label]) for label in gallery.labels.tolist()],
        "thumbs": atlas(gallery.images, lossless=True),
    }
