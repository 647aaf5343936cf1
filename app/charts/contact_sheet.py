"""A few images of each class, packed for the browser in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from app.backend.own_images import ContactSheet
from app.charts.geometry import atlas

__all__ = ["sheet_of_classes"]


@lru_cache(maxsize=4)
def sheet_of_classes(sheet: ContactSheet, counts: tuple[int, ...]) -> dict[str, Any]:
    """`sheet` holds all pictures, row after row; of each class its name, how many images it has, and its places."""
    return {
        "sheet": dict(atlas(sheet.images)),
        "classes": [
            {"name": str(name), "count": count, "places": np.flatnonzero(sheet.labels == label).tolist()}
            for label, (name, count) in enumerate(zip(_names(sheet.classes), counts, strict=True))
        ],
    }


def _names(classes: np.ndarray) -> Sequence[str]:
    return [str(name) for name in classes]
