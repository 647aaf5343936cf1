"""Gram matrices and embeddings packed small for the browser, which draws and scrubs them by itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "atlas",
    "gram_range",
    "pack_gram",
    "pack_points",
    "pack_shares",
    "points_range",
    "rotation",
    "turned",
    "unpack_gram",
]

ATLAS_COLUMNS = 32


def gram_range(grams: Sequence[np.ndarray]) -> tuple[float, float]:
    """Where the colours begin and end: the middle 98 % of the entries off the diagonal, which would drown the rest."""
    entries = np.concatenate([gram[~np.eye(len(gram), dtype=bool)] for gram in grams])
    low, high = np.quantile(entries, [0.01, 0.99])
    return float(low), float(max(high, low + 1e-9))


def pack_gram(gram: np.ndarray, low: float, high: float) -> str:
    """The upper triangle with its diagonal, row by row, as base64 of one byte an entry from `low` to `high`."""
    upper = gram[np.triu_indices(len(gram))]
    levels = np.clip(np.rint(255 * (upper - low) / (high - low)), 0, 255)
    return base64.b64encode(levels.astype(np.uint8).tobytes()).decode("ascii")


def unpack_gram(packed: str, size: int, low: float, high: float) -> np.ndarray:
    """What `pack_gram` packed, to within half a level."""
    gram = np.zeros((size, size))
    gram[np.triu_indices(size)] = np.frombuffer(base64.b64decode(packed), np.uint8)
    return low + (high - low) * (gram + np.triu(gram, 1).T) / 255


def points_range(clouds: Sequence[np.ndarray], *, aspect: float) -> tuple[float, float, float, float]:
    """A box (left, bottom, width, height) around all points of all clouds, with some air.

    Its height is `aspect` times its width, so that a distance is drawn as long across as down.
    """
    points = np.concatenate(clouds)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = 1.08 * np.maximum(high - low, 1e-6)
    width = max(extent[0], extent[1] / aspect)
    left, bottom = (low + high) / 2 - width * np.array([0.5, 0.5 * aspect])
    return float(left), float(bottom), float(width), float(aspect * width)


def turned(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Points [N, 2] about their middle, turned and mirrored, no more, to lie as near as they can to others of the same
    images: a layout's directions mean nothing, and two of them are compared more easily alike.
    """
    return np.asarray((points - points.mean(axis=0)) @ rotation(points, onto), dtype=np.float32)


def rotation(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The orthogonal matrix [2, 2] that does so: Procrustes' problem (Schönemann 1966)."""
    one, two = (cloud - cloud.mean(axis=0) for cloud in (points, onto))
    left, _, right = np.linalg.svd(one.T @ two)
    return np.asarray(left @ right)


def pack_shares(shares: np.ndarray, low: float, high: float) -> str:
    """Numbers [N] as base64 of one byte each from `low` to `high`."""
    levels = np.clip(np.rint(255 * (shares - low) / (high - low)), 0, 255)
    return base64.b64encode(levels.astype(np.uint8).tobytes()).decode("ascii")


def pack_points(points: np.ndarray, box: tuple[float, float, float, float]) -> str:
    """Points as base64 of little-endian 16-bit x, y pairs within `box`."""
    left, bottom, width, height = box
    share = (points - (left, bottom)) / (width, height)
    levels = np.clip(np.rint(65535 * share), 0, 65535)
    return base64.b64encode(levels.astype("<u2").tobytes()).decode("ascii")


def atlas(images: np.ndarray, *, columns: int = ATLAS_COLUMNS, lossless: bool = False) -> Mapping[str, Any]:
    """All images [N,S,S,3] in one picture, row by row: its data URL, tile size and columns."""
    from PIL import Image  # noqa: PLC0415 - Streamlit brings it; only pages with pictures need it

    rows, tile = -(-len(images) // columns), images.shape[1]
    sheet = np.zeros((rows * tile, columns * tile, 3), np.uint8)
    for index, image in enumerate(images):
        top, left = tile * (index // columns), tile * (index % columns)
        sheet[top : top + tile, left : left + tile] = image
    buffer = io.BytesIO()
    # For lossless pictures `quality` is the effort to make them small.
    Image.fromarray(sheet).save(buffer, "WEBP", quality=82, method=2, lossless=lossless)
    url = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"url": url, "tile": tile, "columns": columns}
