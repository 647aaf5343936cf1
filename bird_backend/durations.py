"""Spans of time in words: as they were or are going on, and as a guess."""

from __future__ import annotations

__all__ = ["exact", "rough"]


def exact(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `1 h 12 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough(seconds: float) -> str:
    """A guess as a person says it, rounded to what is known: `45 seconds`, `3 minutes`, `2 hours`, `12 days`."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5)):.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / 86400:.0f} days"
