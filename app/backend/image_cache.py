"""The decoded images that are kept in the home: how much room they take, which of them are needed now, and freeing."""

from __future__ import annotations

from collections.abc import Collection

from app.backend import data
from bird_backend.runs.image_cache import CachedImages, free_cached, list_cached

__all__ = ["CachedImages", "free_images", "kept_images", "needed_now"]


def kept_images() -> list[CachedImages]:
    """What is kept, the largest first."""
    return list_cached()


def needed_now() -> dict[str, data.Run]:
    """Data sets that a run works on or waits to, each with one such run."""
    found: dict[str, data.Run] = {}
    for run in data.active_runs():
        try:
            name = getattr(data.spec_of(run), "data", None)
        except data.BirdError:
            continue
        if name:
            found.setdefault(str(name), run)
    return found


def free_images(keys: Collection[str]) -> int:
    """Remove the entries of these keys, but for those that a run needs; returns the bytes that were freed."""
    needed, freed = needed_now(), 0
    for entry in list_cached():
        if entry.key in keys and entry.name not in needed:
            freed += sum(gone.bytes for gone in free_cached(entry.key))
    return freed
