"""What a figure declares: its name and words, how it is worked out, and which tables show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from bird_backend.measures.by_seed import Shares
from bird_backend.measures.intervals import Interval, over_seeds
from bird_backend.measures.predictions import Predictions
from bird_backend.measures.robustness import Group
from bird_backend.measures.words import rounded

__all__ = [
    "CKA",
    "EVERY_TABLE",
    "POINTS",
    "SECONDS",
    "SHARE",
    "Estimate",
    "Figure",
    "GroupShares",
    "InRun",
    "OverSeeds",
    "Table",
    "Unit",
    "mean_over_seeds",
    "nothing",
]

Table = Literal["run", "report", "study", "ablation", "comparison"]
"""A run's page, its report on the command line, a study of methods, an ablation, and runs beside one another."""
EVERY_TABLE: frozenset[Table] = frozenset(get_args(Table))


@dataclass(frozen=True, kw_only=True)
class Unit:
    """How a figure's values are written: times `scale`, so many `digits`, `sign` "+" for differences."""

    scale: float
    digits: int
    sign: str = ""
    heading: str = ""
    """Follows the title at the head of a column."""

    def text(self, value: float) -> str:
        """The number as a table has it."""
        return rounded(self.scale * value, self.digits, sign=self.sign)


SHARE = Unit(scale=100, digits=1, heading=", %")
POINTS = Unit(scale=100, digits=1, sign="+", heading=", points")
CKA = Unit(scale=1, digits=3)
SECONDS = Unit(scale=1, digits=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class InRun:
    """One network of a run: `predictions` of it and of those beside it, and what was `recorded` of it by figure."""

    predictions: Predictions
    model: str
    recorded: Mapping[str, Interval] = field(default_factory=dict)


GroupShares = Mapping[Group, Shares]
"""By group, then seed, each image's share of right answers [n]; a group that was not measured is left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OverSeeds:
    """One row of a study: what its runs gave, and the rows that it is held against."""

    figures: Mapping[str, Mapping[int, Interval]]
    """By figure, then seed, what each run's summary says."""
    shares: GroupShares
    role: Literal["contender", "floor", "reference", "control", "ceiling"]
    over: GroupShares | None = None
    """Of the row that its gain is over; none where it has no gain."""
    floor: GroupShares | None = None
    ceiling: GroupShares | None = None
    """Of the untouched student and of the Oracle; none where the study has no such row."""
    has_reference: bool = True


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure of a row; `reason` says in a sentence why there is no value."""

    value: float | None = None
    interval: Interval | None = None
    """Over seeds, or what one run gave where one seed is done; none where there is none."""
    by_seed: Mapping[int, float] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def of(cls, interval: Interval, by_seed: Mapping[int, float]) -> Estimate:
        """A value with its interval."""
        return cls(value=interval.value, interval=interval, by_seed=dict(sorted(by_seed.items())))


def mean_over_seeds(row: OverSeeds, name: str) -> Estimate:
    """The mean of what each seed's run gave, with Student's interval; one run alone keeps its own."""
    known = row.figures.get(name, {})
    if not known:
        return Estimate(reason="It was not measured." if row.figures else "None of its runs is done.")
    by_seed = {seed: found.value for seed, found in known.items()}
    return Estimate.of(over_seeds(list(by_seed.values())) or next(iter(known.values())), by_seed)


def nothing(_: InRun) -> Interval | None:
    """Of a figure that one run alone can't give."""
    return None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that tables show of a network. Declared in a file of this folder, it is in all that read `FIGURES`."""

    name: str
    place: int
    title: str
    explained: str
    """Goes on from the title and a colon."""
    unit: Unit
    rises: bool | None = None
    """Whether more is better; none for a figure that ranks nobody."""
    group: Group | None = None
    """The cells whose answers, compared image by image, decide which of two networks is better."""
    in_run: Callable[[InRun], Interval | None] = nothing
    over_seeds: Callable[[OverSeeds], Estimate] | None = None
    """None: the mean of what each seed's run gave."""
    summary_field: str | None = None
    """For a number of the whole run rather than of one of its networks: where its summary has it."""
    of_training: bool = False
    """Of training, so that a network that nobody trained has none."""
    shown: frozenset[Table] = EVERY_TABLE

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title}{self.unit.heading}"

    def estimate(self, row: OverSeeds) -> Estimate:
        """The figure of a study's row."""
        if self.of_training and row.role == "floor":
            return Estimate(reason="It is not trained.")
        return mean_over_seeds(row, self.name) if self.over_seeds is None else self.over_seeds(row)

    def ahead(self, one: Interval, other: Interval) -> bool:
        """Whether one value is better beyond noise: the intervals do not meet, which asks for more than a pair does."""
        return one.low > other.high if self.rises else one.high < other.low
