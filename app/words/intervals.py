"""Numbers with their 95 % intervals, in words. What the intervals are is `bird_backend.measures`."""

from __future__ import annotations

from bird_backend.measures import Interval

__all__ = ["explained", "percent", "plus_minus", "points", "rounded", "verdict", "word"]


def percent(share: float, digits: int = 1) -> str:
    """`71.3 %`, with a real minus."""
    return f"{rounded(100 * share, digits)} %"


def points(gap: Interval) -> str:
    """A difference of shares: `+3.1 ± 1.9` percentage points, with a real minus."""
    return f"{rounded(100 * gap.value, 1, sign='+')} ± {100 * gap.half:.1f}"


def plus_minus(interval: Interval, digits: int = 1, *, factor: float = 100) -> str:
    """`71.3 ± 1.9`, in percent unless `factor` says otherwise."""
    return f"{rounded(factor * interval.value, digits)} ± {factor * interval.half:.{digits}f}"


def explained(interval: Interval) -> str:
    """`95 % interval 69.4 % to 73.1 % (Wilson, over images, n = 1,000)`."""
    return (
        f"95 % interval {percent(interval.low)} to {percent(interval.high)} "
        f"({interval.kind}, n\u00a0=\u00a0{interval.n:,})"
    )


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


def rounded(value: float, digits: int, *, sign: str = "") -> str:
    """With a real minus, and never one before a zero."""
    # Adding zero turns a negative zero into a plain one.
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}".replace("-", "−")
