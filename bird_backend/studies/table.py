"""A study as one table: every variant's figures over its seeds, its gain over fine-tuning, and the control's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from bird_backend.errors import InputError
from bird_backend.measures import Group, Interval, at_chance
from bird_backend.measures.figures import FIGURES, GroupShares, OverSeeds, columns
from bird_backend.runs.store import FINAL, Run
from bird_backend.studies import notes, rendering
from bird_backend.studies.entries import Entry, Row
from bird_backend.studies.marks import CHOOSING, AllShares, compared_with_control, with_best, with_choice
from bird_backend.studies.run_shares import RunShares, read_shares
from bird_backend.studies.store import runs_of, states_of
from bird_backend.studies.study import Role, Study, Variant

__all__ = ["Results", "results"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """A study's table as far as its runs have come. `rows` are in the study's order."""

    study: Study
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    """Whole sentences that belong under the table: what the intervals are over, n, seeds, starts, controls, gaps."""
    states: Mapping[str, int]
    """How many of the study's members are in which state; `waiting` for those without a run."""

    @property
    def complete(self) -> bool:
        """Whether every run has ended, one way or another. Until then nothing is marked as best."""
        return _all_final(self.states)

    def row(self, key: str) -> Row:
        """The row of a variant."""
        return next(row for row in self.rows if row.variant.key == key)

    @property
    def columns(self) -> tuple[str, ...]:
        """The figures that the table shows unless it is told otherwise."""
        return columns("study" if self.study.preset == "methods" else "ablation")

    @property
    def chosen(self) -> str | None:
        """Key of the variant that an ablation's validation figure speaks for; none where nothing is to be chosen."""
        return next((row.variant.key for row in self.rows if any(row.entries[name].best for name in CHOOSING)), None)

    def as_markdown(self, names: Sequence[str] = ()) -> str:
        """A table, columns aligned, and its notes as a list; `names` are the figures shown, none: `columns`."""
        return rendering.markdown(self.study.title, self.rows, self._known(names), self.notes)

    def as_csv(self, names: Sequence[str] = ()) -> str:
        """One line a variant, shares as fractions: each figure with the ends of its interval and what that is over."""
        return rendering.csv_text(self.rows, self._known(names))

    def as_latex(self, names: Sequence[str] = (), *, label: str = "") -> str:
        """A `booktabs` table with the notes under it, to be referred to by `label`."""
        return rendering.latex(self.study.title, self.rows, self._known(names), self.notes, label=label)

    def _known(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(FIGURES.find(name).name for name in dict.fromkeys(names)) or self.columns

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "study": self.study.id,
            "title": self.study.title,
            "preset": self.study.preset,
            "seeds": list(self.study.seeds),
            "controls": list(self.study.controls),
            "complete": self.complete,
            "states": dict(self.states),
            "members": [member.model_dump() for member in self.study.members],
            "rows": [row.as_dict() for row in self.rows],
            "notes": list(self.notes),
        }


def results(study: Study) -> Results:
    """The table of what is done so far. Cheap to ask again: it is worked out anew only when a run has moved on."""
    runs = runs_of(study)
    moved = tuple((run.id, run.state, run.finished) for run in runs.values())
    return _worked_out(_Asked(study.id, study.members, moved, study, runs))


@dataclass(frozen=True)
class _Asked:
    """Equal where the answer is."""

    id: str
    members: tuple[object, ...]
    moved: tuple[object, ...]
    study: Study = field(compare=False)
    runs: Mapping[str, Run] = field(compare=False)


@lru_cache(maxsize=8)
def _worked_out(asked: _Asked) -> Results:
    study, runs = asked.study, asked.runs
    states = states_of(study, runs)
    complete = _all_final(states)
    done, problems = _read(study, runs)
    shares = {key: _shares(study.variant(key), by_seed) for key, by_seed in done.items()}
    rows = [_row(study, variant, done[variant.key], shares, problems[variant.key]) for variant in study.variants]
    rows = compared_with_control(rows, shares)
    if complete:
        rows = with_best(rows, shares) if study.preset == "methods" else with_choice(rows)
    images = next((len(run.images) for by_seed in done.values() for run in by_seed.values()), None)
    return Results(
        study=study,
        rows=tuple(rows),
        notes=notes.write_notes(study, rows, _found(done), images=images, complete=complete),
        states=states,
    )


def _all_final(states: Mapping[str, int]) -> bool:
    return states.keys() <= set(FINAL)


BySeed = Mapping[str, Mapping[int, RunShares]]


def _read(study: Study, runs: Mapping[str, Run]) -> tuple[BySeed, Mapping[str, list[str]]]:
    """By variant and seed what is done, and by variant a sentence for each run that gave nothing."""
    found: dict[str, dict[int, RunShares]] = {variant.key: {} for variant in study.variants}
    problems: dict[str, list[str]] = {variant.key: [] for variant in study.variants}
    first: dict[int, RunShares] = {}
    for member in study.members:
        if member.run is None:
            continue
        run = runs.get(member.run)
        if run is None:
            problems[member.variant].append(f"Seed {member.seed}: its run is no longer there.")
        elif run.state in ("failed", "cancelled"):
            problems[member.variant].append(f"Seed {member.seed} {run.state}: {run.reason or 'no reason given.'}")
        elif run.state == "done":
            try:
                shares = read_shares(run)
            except InputError as error:
                problems[member.variant].append(f"Seed {member.seed}: {error}")
                continue
            if not shares.comparable(first.setdefault(member.seed, shares)):
                problems[member.variant].append(
                    f"Seed {member.seed} was measured on other images than the other runs of that seed."
                )
                continue
            found[member.variant][member.seed] = shares
    for variant in study.variants:
        if variant.role == "floor" and not found[variant.key]:
            found[variant.key] = _untouched(study, found)
    return found, problems


def _untouched(study: Study, found: BySeed) -> dict[int, RunShares]:
    """By seed a run that has the student from before among its networks: any of them, all have the same."""
    before: dict[int, RunShares] = {}
    for variant in study.variants:
        for seed, run in found[variant.key].items():
            if "before" in run.shares:
                before.setdefault(seed, run)
    return before


def _model(variant: Variant) -> str:
    return "before" if variant.role == "floor" else variant.method


def _shares(variant: Variant, by_seed: Mapping[int, RunShares]) -> GroupShares:
    shares: dict[Group, dict[int, np.ndarray]] = {}
    for seed, run in by_seed.items():
        for group, share in run.shares.get(_model(variant), {}).items():
            shares.setdefault(group, {})[seed] = share
    return shares


def _found(done: BySeed) -> list[Mapping[str, Interval]]:
    """The figures of every network of every run."""
    return [figures for by_seed in done.values() for run in by_seed.values() for figures in run.figures.values()]


def _row(
    study: Study, variant: Variant, done: Mapping[int, RunShares], shares: AllShares, problems: Sequence[str]
) -> Row:
    figures: dict[str, dict[int, Interval]] = {}
    for seed, run in sorted(done.items()):
        for name, interval in run.figures.get(_model(variant), {}).items():
            figures.setdefault(name, {})[seed] = interval
    held = OverSeeds(
        figures=figures,
        shares=shares[variant.key],
        role=variant.role,
        over=None if variant.over is None else shares[variant.over],
        floor=_of_role(study, "floor", shares),
        ceiling=_of_role(study, "ceiling", shares),
        has_reference=any(other.role == "reference" for other in study.variants),
    )
    clean = figures.get("clean", {})
    entries = {name: Entry.unmarked(figure.estimate(held)) for name, figure in FIGURES.items()}
    return Row(
        variant=variant,
        done=tuple(sorted(done)),
        asked=study.seeds,
        problems=tuple(problems),
        entries=entries,
        collapsed=tuple(seed for seed, found in clean.items() if at_chance(found, done[seed].chance)),
    )


def _of_role(study: Study, role: Role, shares: AllShares) -> GroupShares | None:
    return next((shares[variant.key] for variant in study.variants if variant.role == role), None)
