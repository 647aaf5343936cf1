"""Uncertainty of accuracies: 95 % intervals from the number of test images.

The cells of a corruption table are all of the same images, so a mean over cells is no more certain than one of them:
its interval uses the number of images, not of cells. A difference taken from counts alone can't use that both models
saw the same images, which makes its interval too wide rather than too narrow (`app.charts.gaps` does better).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Difference", "Z", "difference", "mean_interval", "percent", "points", "wilson"]

Z = 1.959964
"""The standard normal's 97.5 % point."""


def wilson(correct: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, (0, 1) where nothing was counted."""
    if n <= 0:
        return 0.0, 1.0
    share = correct / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def mean_interval(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a mean over cells of the same `n` images."""
    return wilson(share * n, n)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much higher one accuracy is than another, with half the width of its 95 % interval."""

    value: float
    half: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves zero out."""
        return abs(self.value) > self.half

    @property
    def word(self) -> str:
        """In a word or two, for a table."""
        if not self.beyond_noise:
            return "within noise"
        return "gain" if self.value > 0 else "loss"

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.beyond_noise:
            return "within noise"
        return "a gain beyond noise" if self.value > 0 else "a loss beyond noise"


def difference(after: float, before: float, n: int) -> Difference:
    """`after` − `before`, both measured on the same `n` images."""
    variance = (after * (1 - after) + before * (1 - before)) / n if n > 0 else 1.0
    return Difference(value=after - before, half=Z * math.sqrt(max(variance, 1e-12)))


def percent(share: float) -> str:
    """`71.3 %`."""
    return f"{100 * share:.1f} %"


def points(gap: Difference) -> str:
    """`+3.1 ± 1.9` percentage points, with a real minus."""
    # Adding zero turns a negative zero into a plain one.
    return f"{round(100 * gap.value, 1) + 0.0:+.1f} ± {100 * gap.half:.1f}".replace("-", "−")
