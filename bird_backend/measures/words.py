"""Numbers and intervals as text, the same on pages, in tables and on the command line."""

from __future__ import annotations

import math

from bird_backend.measures.intervals import Interval

__all__ = ["ends", "plus_minus", "rounded", "spread"]


def rounded(value: float, digits: int, *, sign: str = "") -> str:
    """With a real minus, and never one before a zero."""
    if not math.isfinite(value):
        return "−∞" if value < 0 else "∞"
    # Adding zero turns a negative zero into a plain one.
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}".replace("-", "−")


def plus_minus(interval: Interval, digits: int = 1, *, factor: float = 100, sign: str = "") -> str:
    """`71.3 ± 1.9`, in percent unless `factor` says otherwise; the number alone where it has no interval."""
    return f"{rounded(factor * interval.value, digits, sign=sign)}{spread(interval, digits, factor=factor)}"


def spread(interval: Interval, digits: int = 1, *, factor: float = 100) -> str:
    """` ± 1.9`, half the interval; nothing where there is none."""
    return f" ± {rounded(factor * interval.half, digits)}" if interval.estimated else ""


def ends(interval: Interval, digits: int = 1, *, factor: float = 100, sign: str = "") -> str:
    """`69.4 to 73.1`, in percent unless `factor` says otherwise."""
    low, high = (rounded(factor * end, digits, sign=sign) for end in (interval.low, interval.high))
    return f"{low} to {high}"
