"""The columns of a study's table, and a row with its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bird_backend.measures import Group, Interval
from bird_backend.studies.study import Variant

__all__ = ["FIGURES", "Entry", "Figure", "Remark", "Row"]

Remark = Literal["", "smaller than the control's", "within noise of the control's"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A column. Its values are fractions, seconds or CKA, as `unit` says."""

    title: str
    explained: str
    unit: Literal["share", "points", "cka", "seconds"]
    group: Group | None = None
    """For accuracies, what they are over."""
    ranked_by: Group | None = None
    """Whose differences decide which entry is best; none for figures that rank nobody."""


def _accuracy(title: str, explained: str, group: Group) -> Figure:
    return Figure(title=title, explained=explained, unit="share", group=group, ranked_by=group)


FIGURES: Mapping[str, Figure] = {
    "clean": _accuracy("Clean", "accuracy on the test images as they are.", "clean"),
    "robust": _accuracy("Robust", "mean accuracy over every corruption measured and its severities 1 to 5.", "robust"),
    "seen": _accuracy("Seen", "the same over the kinds that a robust teacher may have trained on.", "seen"),
    "held_out": _accuracy("Held out", "the same over the kinds that nobody trains on.", "held_out"),
    "pooled": _accuracy(
        "Pooled", "held-out kinds at severities 0 to 5, as the reference implementation reports.", "pooled"
    ),
    "gain": Figure(
        title="Gain",
        explained="robust accuracy over fine-tuning's, paired by seed, in points.",
        unit="points",
        ranked_by="robust",
    ),
    "pgr": Figure(
        title="PGR",
        explained="performance gap recovered, (this − untouched) / (Oracle − untouched) in robust accuracy, each seed "
        "by its own ends, unclipped.",
        unit="share",
        ranked_by="robust",
    ),
    "cka_before": Figure(title="CKA before", explained="with the teacher, before training.", unit="cka"),
    "cka_after": Figure(title="CKA after", explained="with the teacher, after training.", unit="cka"),
    "seconds": Figure(title="Seconds", explained="of the whole run, loading and measuring included.", unit="seconds"),
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One figure of one variant; `reason` says in a sentence why there is no value."""

    value: float | None = None
    interval: Interval | None = None
    """Over seeds, or over images where one seed is done; none for a number of one run that has no interval."""
    by_seed: Mapping[int, float] = field(default_factory=dict)
    reason: str = ""
    best: bool = False
    """Better than every other contender's beyond noise."""
    remark: Remark = ""
    """Of a gain, where it is not more than the control's."""
    ahead_of_control: Interval | None = None
    """Of such a gain, how much more than the control's it is, paired."""

    @classmethod
    def of(cls, interval: Interval, by_seed: Mapping[int, float]) -> Entry:
        """A value with its interval."""
        return cls(value=interval.value, interval=interval, by_seed=dict(sorted(by_seed.items())))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "value": self.value,
            "interval": None if self.interval is None else self.interval.as_dict(),
            "by_seed": {str(seed): value for seed, value in self.by_seed.items()},
            "reason": self.reason,
            "best": self.best,
            "remark": self.remark,
        }


@dataclass(frozen=True, kw_only=True)
class Row:
    """A variant's figures, over the seeds that are `done` of those that were `asked` for."""

    variant: Variant
    done: tuple[int, ...]
    asked: tuple[int, ...]
    problems: tuple[str, ...]
    """A sentence for each of its runs that gave nothing."""
    entries: Mapping[str, Entry]

    def with_entry(self, name: str, entry: Entry) -> Row:
        """The row with one entry replaced."""
        return self.with_entries({name: entry})

    def with_entries(self, entries: Mapping[str, Entry]) -> Row:
        """The row with some entries replaced."""
        return replace(self, entries={**self.entries, **entries})

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.variant.model_dump(exclude={"overrides"}),
            "seeds_done": list(self.done),
            "seeds_asked": list(self.asked),
            "problems": list(self.problems),
            "figures": {name: entry.as_dict() for name, entry in self.entries.items()},
        }
