"""A row of a study's table and its entries: figures over the seeds that are done, with what the table marks them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bird_backend.measures import Interval
from bird_backend.measures.figures import Estimate
from bird_backend.studies.study import Variant

__all__ = ["Entry", "Remark", "Row"]

Remark = Literal["", "smaller than the control's", "within noise of the control's"]


@dataclass(frozen=True, kw_only=True)
class Entry(Estimate):
    """One figure of one variant."""

    best: bool = False
    """Better than every other contender's beyond noise; in an ablation, what a setting is chosen by."""
    remark: Remark = ""
    """Of a gain, where it is not more than the control's."""
    ahead_of_control: Interval | None = None
    """Of such a gain, how much more than the control's it is, paired."""

    @classmethod
    def unmarked(cls, found: Estimate) -> Entry:
        """A figure before anything is said of it."""
        return cls(value=found.value, interval=found.interval, by_seed=found.by_seed, reason=found.reason)

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
    collapsed: tuple[int, ...] = ()
    """Seeds at which the network is right no more often than by chance on clean images."""

    def with_entry(self, name: str, **changes: Any) -> Row:
        """The row with one entry changed."""
        return replace(self, entries={**self.entries, name: replace(self.entries[name], **changes)})

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.variant.model_dump(exclude={"overrides"}),
            "seeds_done": list(self.done),
            "seeds_asked": list(self.asked),
            "problems": list(self.problems),
            "collapsed": list(self.collapsed),
            "figures": {name: entry.as_dict() for name, entry in self.entries.items()},
        }
