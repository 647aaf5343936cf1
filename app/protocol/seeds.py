"""Runs that differ in nothing but the seed, and what they say together: a mean with Student's interval over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app import data
from app.protocol.summaries import gain_of, number_of
from bird_backend.measures import Interval, over_seeds
from bird_backend.specs import RunSpec

__all__ = ["figure_over_seeds", "gain_over_seeds", "seed_documents", "seeds_of", "siblings"]


def siblings(run: data.Run, *, states: tuple[str, ...] = ("done",)) -> list[data.Run]:
    """The runs that were asked for the same but for the seed, this one among them, one a seed, by seed."""
    wanted = _apart_from_seed(data.spec_of(run))
    found: dict[int, data.Run] = {}
    for other in data.list_runs(kind=run.kind, limit=200):
        if other.state not in states:
            continue
        try:
            spec = data.spec_of(other)
        except data.BirdError:
            continue
        if _apart_from_seed(spec) == wanted:
            # Asked for twice with one seed, it is still one seed; the run that is looked at stands for its own.
            found[spec.seed] = run if other.id == run.id else found.get(spec.seed, other)
    if run.state in states:
        found[data.spec_of(run).seed] = run
    return [found[seed] for seed in sorted(found)]


def seeds_of(runs: Sequence[data.Run]) -> list[int]:
    """Their seeds."""
    return [data.spec_of(run).seed for run in runs]


def seed_documents(run: data.Run, count: int) -> list[dict[str, Any]]:
    """Specs of `count` more runs with the lowest seeds that nobody has asked for; their weights are not saved."""
    taken = set(seeds_of(siblings(run, states=("queued", "running", "done", "interrupted"))))
    fresh = [seed for seed in range(len(taken) + count) if seed not in taken][:count]
    document = data.spec_of(run).model_dump(mode="json")
    if "save_as" in document:
        # They would take each other's name.
        document["save_as"] = None
    return [document | {"seed": seed} for seed in fresh]


def figure_over_seeds(runs: Sequence[data.Run], figure: str, model: str) -> Interval | None:
    """The mean of a figure of `protocol.figures` over the runs' seeds; none for one seed, or where a run lacks it."""
    return _over([number_of(run.summary, figure, model) for run in runs])


def gain_over_seeds(runs: Sequence[data.Run]) -> Interval | None:
    """The mean over seeds of the gain in robust accuracy over fine-tuning."""
    gains = [gain_of(run.summary, "fine-tuning") for run in runs]
    return _over([None if gain is None else gain.value for gain in gains])


def _over(values: Sequence[float | None]) -> Interval | None:
    known = [value for value in values if value is not None]
    return over_seeds(known) if len(known) == len(values) else None


def _apart_from_seed(spec: RunSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude={"seed", "title", "save_as"})
