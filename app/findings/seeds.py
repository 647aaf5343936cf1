"""Runs that differ in nothing but the seed, and what they say together: a mean with Student's interval over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.backend import data
from app.findings.summaries import figure_of
from bird_backend.measures import Interval, over_seeds

__all__ = ["Siblings", "figure_over_seeds", "seed_documents", "seeds_of", "siblings"]


@dataclass(frozen=True, kw_only=True)
class Siblings:
    """The runs that were asked for the same as one run but for the seed, that one among them, one a seed, by seed."""

    done: tuple[data.Run, ...]
    coming: tuple[data.Run, ...]
    """Queued, running or interrupted, with seeds that none is done of."""


def siblings(run: data.Run) -> Siblings:
    """Found by what the run table says each depends on; nothing is read of them."""
    done, coming = ({_seed(run): run} if found else {} for found in (run.state == "done", data.is_active(run)))
    for other in data.family(run):
        if other.state == "done" or data.is_active(other):
            # Asked for twice with one seed, it is still one seed; the run that is looked at stands for its own.
            with suppress(data.BirdError):  # one that can't be read counts for nothing
                (done if other.state == "done" else coming).setdefault(_seed(other), other)
    return Siblings(
        done=tuple(done[seed] for seed in sorted(done)),
        coming=tuple(coming[seed] for seed in sorted(coming.keys() - done.keys())),
    )


def seeds_of(runs: Sequence[data.Run]) -> list[int]:
    """Their seeds."""
    return [_seed(run) for run in runs]


def seed_documents(run: data.Run, known: Siblings, count: int) -> list[dict[str, Any]]:
    """Specs of `count` more runs with the lowest seeds that nobody has asked for; their weights are not saved."""
    taken = set(seeds_of([*known.done, *known.coming]))
    fresh = [seed for seed in range(len(taken) + count) if seed not in taken][:count]
    document = data.spec_of(run).model_dump(mode="json")
    if "save_as" in document:
        # They would take each other's name.
        document["save_as"] = None
    return [document | {"seed": seed} for seed in fresh]


def figure_over_seeds(runs: Sequence[data.Run], name: str, model: str | None = None) -> Interval | None:
    """The mean of a figure over the runs' seeds; none for one seed, or where a run lacks it."""
    known = [found.value for run in runs if (found := figure_of(run, name, model)) is not None]
    return over_seeds(known) if len(known) == len(runs) else None


def _seed(run: data.Run) -> int:
    return data.spec_of(run).seed
