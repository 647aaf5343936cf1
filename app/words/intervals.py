"""Numbers with their 95 % intervals, in words. What the intervals are is `bird_backend.measures`."""

from __future__ import annotations

import math

from bird_backend.measures import Interval, plus_minus, rounded

__all__ = ["explained", "percent", "plus_minus", "points", "rounded", "verdict", "word"]


def percent(share: float, digits: int = 1) -> str:
    """`71.3 %`, with a real minus; `∞` for an end without bound."""
    return f"{rounded(100 * share, digits)} %" if math.isfinite(share) else rounded(share, digits)


def points(gap: Interval) -> str:
    """A difference of shares: `+3.1 ± 1.9` percentage points, with a real minus."""
    return plus_minus(gap, sign="+")


def explained(interval: Interval) -> str:
    """`95 % interval 69.4 % to 73.1 % (Wilson, over images, n = 1,000)`."""
    ends = f"95 % interval {percent(interval.low)} to {percent(interval.high)} " if interval.estimated else ""
    return f"{ends}({interval.kind}, n\u00a0=\u00a0{interval.n:,})"


def word(gap: Interval) -> str:
    """A difference in a word or two, for a table."""
    if not gap.beyond_noise:
        return "within noise"
    return "gain" if gap.value > 0 else "loss"


def verdict(gap: Interval) -> str:
    """A difference in words, for a sentence."""
    if not gap.beyond_noise:
        return "within noise"
    return "a gain beyond noise" if gap.value > 0 else "a loss beyond noise"
