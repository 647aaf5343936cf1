"""Room on a disk in words."""

from __future__ import annotations

__all__ = ["room"]


def room(count: int) -> str:
    """Bytes in decimal units: `3.2 GB`, `41.0 MB`, `7 kB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{max(1, round(count / 1e3))} kB"
