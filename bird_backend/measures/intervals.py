"""A number and its 95 % interval, and what the interval is over: test images, seeds, teachers, or layers.

Which kind is always named. An interval over images says what other images would give with the same networks; one over
seeds what other runs would give, one over teachers what pairs with other teachers would. None contains another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

import numpy as np

__all__ = ["Interval", "Z", "bootstrap", "over_images", "over_seeds", "wilson"]

Z = 1.959964
"""The standard normal's 97.5 % point."""

Kind = Literal[
    "Wilson, over images",
    "normal, over images",
    "bootstrap, over images",
    "jackknife, over images",
    "Student's t, over seeds",
    "bootstrap, over teachers",
    "bootstrap, over layers",
    "Student's t, over teachers",
    "no interval, of images",
    "no interval, of runs",
]

_RESAMPLES = 1000
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Interval:
    """`value` with its 95 % interval; `n` images, seeds, teachers or pairs of layers, as `kind` says.

    An end is infinite where nothing bounds it; one that is no number bounds nothing either.
    """

    value: float
    low: float
    high: float
    n: int
    kind: Kind

    def __post_init__(self) -> None:
        if math.isnan(self.low) or self.low == math.inf:
            object.__setattr__(self, "low", -math.inf)
        if math.isnan(self.high) or self.high == -math.inf:
            object.__setattr__(self, "high", math.inf)

    @classmethod
    def of_number(cls, value: float, n: int, kind: Kind = "no interval, of images") -> Interval:
        """A number of which nothing says how far it can be trusted."""
        return cls(value=value, low=-math.inf, high=math.inf, n=n, kind=kind)

    @property
    def estimated(self) -> bool:
        """Whether there is an interval at all, be it without bounds."""
        return not self.kind.startswith("no interval")

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves zero out: what a difference has to do to be one."""
        return self.low > 0 or self.high < 0

    def as_dict(self) -> dict[str, float | int | str | None]:
        """As it stands in a summary: JSON has no infinity, so an end without bound is none."""
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        return {"value": self.value, "low": low, "high": high, "n": self.n, "kind": self.kind}

    @classmethod
    def from_dict(cls, document: object) -> Interval | None:
        """The inverse of `as_dict`; none for anything that is not such a document."""
        if not isinstance(document, Mapping) or document.get("kind") not in get_args(Kind):
            return None
        value, n = document.get("value"), document.get("n")
        low, high = (_end(document.get(end, ""), unbounded) for end, unbounded in _UNBOUNDED.items())
        if low is None or high is None or not _is_number(value) or not isinstance(n, int):
            return None
        return cls(value=value, low=low, high=high, n=n, kind=document["kind"])


_UNBOUNDED = {"low": -math.inf, "high": math.inf}


def _end(value: object, unbounded: float) -> float | None:
    """An end as JSON has it; none where it is no end."""
    if value is None:
        return unbounded
    return value if _is_number(value) else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def wilson(correct: float, n: int) -> Interval:
    """A share of `n` independent images: Wilson's interval, (0, 1) where nothing was counted."""
    if n <= 0:
        return Interval(value=0.0, low=0.0, high=1.0, n=0, kind="Wilson, over images")
    share = correct / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low, high = max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
    return Interval(value=share, low=low, high=high, n=n, kind="Wilson, over images")


def over_images(values: np.ndarray) -> Interval:
    """The mean of one number an image [n], such as its share of right answers or two models' difference in it.

    Cells of a table are all of the same images, so an image is one observation however many cells there are.
    """
    n, mean = len(values), float(values.mean())
    half = Z * float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    return Interval(value=mean, low=mean - half, high=mean + half, n=n, kind="normal, over images")


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], values: np.ndarray, *, seed: int = 0, recentre: bool = False
) -> Interval:
    """The percentile interval of a statistic of per-image means, images resampled 1,000 times (Efron 1979).

    `values` is [n, k]; `statistic` takes means over images [r, k] to [r] numbers, one for each resample. `recentre` is
    for a statistic that fewer different images make larger, as a sum of absolute values is: its interval is moved back
    by as much as the resamples lie above the value on average.
    """
    n = len(values)
    generator = np.random.default_rng(seed)
    draws = np.concatenate(
        [
            statistic(
                np.stack([np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(_AT_ONCE)])
                @ values
                / n
            )
            for _ in range(_RESAMPLES // _AT_ONCE)
        ]
    )
    # Of the draws themselves: between two that are infinite there is nothing to interpolate.
    low, high = np.quantile(draws, (0.025, 0.975), method="closest_observation")
    value = float(statistic(values.mean(axis=0, keepdims=True))[0])
    rise = float(draws.mean()) - value if recentre else 0.0
    return Interval(value=value, low=float(low) - rise, high=float(high) - rise, n=n, kind="bootstrap, over images")


def over_seeds(values: Sequence[float]) -> Interval | None:
    """The mean of one result a seed with Student's interval; none for fewer than two seeds."""
    n = len(values)
    if n < 2:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415 - a tenth of a second that few pages need

    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n)
    return Interval(value=mean, low=mean - half, high=mean + half, n=n, kind="Student's t, over seeds")
