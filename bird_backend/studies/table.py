"""A study as one table: every variant's figures over its seeds, its gain over fine-tuning, and the control's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from bird_backend.errors import InputError
from bird_backend.measures import (
    Group,
    Interval,
    Shares,
    difference_by_seed,
    differences,
    gap_recovered_by_seed,
    gaps_recovered,
    mean_by_seed,
    over_seeds,
)
from bird_backend.runs.store import FINAL, Run
from bird_backend.studies import notes, rendering
from bird_backend.studies.figures import FIGURES, Entry, Remark, Row
from bird_backend.studies.measured import Measured, read_measured
from bird_backend.studies.store import runs_of, states_of
from bird_backend.studies.study import Study, Variant

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

    def as_markdown(self) -> str:
        """A table, columns aligned, and its notes as a list."""
        return rendering.markdown(self.study.title, self.rows, self.notes)

    def as_csv(self) -> str:
        """One line a variant, shares as fractions: each figure with the ends of its interval and what that is over."""
        return rendering.csv_text(self.rows)

    def as_latex(self) -> str:
        """A `booktabs` table with the notes under it."""
        return rendering.latex(self.study.title, self.rows, self.notes)

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
    measured, problems = _read(study, runs)
    shares = {key: _shares(study.variant(key), by_seed) for key, by_seed in measured.items()}
    rows = [_row(study, variant, measured, shares, problems) for variant in study.variants]
    rows = _compared_with_control(rows, shares)
    if complete:
        rows = _with_best(rows, shares)
    images = next((len(run.images) for by_seed in measured.values() for run in by_seed.values()), None)
    return Results(
        study=study,
        rows=tuple(rows),
        notes=notes.write_notes(study, rows, _summaries(measured), images=images, complete=complete),
        states=states,
    )


def _all_final(states: Mapping[str, int]) -> bool:
    return states.keys() <= set(FINAL)


BySeed = Mapping[str, Mapping[int, Measured]]
AllShares = Mapping[str, Mapping[Group, Shares]]


def _read(study: Study, runs: Mapping[str, Run]) -> tuple[BySeed, Mapping[str, list[str]]]:
    """By variant and seed what is done, and by variant a sentence for each run that gave nothing."""
    found: dict[str, dict[int, Measured]] = {variant.key: {} for variant in study.variants}
    problems: dict[str, list[str]] = {variant.key: [] for variant in study.variants}
    first: dict[int, Measured] = {}
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
                measured = read_measured(run)
            except InputError as error:
                problems[member.variant].append(f"Seed {member.seed}: {error}")
                continue
            if not measured.comparable(first.setdefault(member.seed, measured)):
                problems[member.variant].append(
                    f"Seed {member.seed} was measured on other images than the other runs of that seed."
                )
                continue
            found[member.variant][member.seed] = measured
    for variant in study.variants:
        if variant.role == "floor" and not found[variant.key]:
            found[variant.key] = _untouched(study, found)
    return found, problems


def _untouched(study: Study, found: BySeed) -> dict[int, Measured]:
    """By seed a run that has the student from before among its networks: any of them, all have the same."""
    before: dict[int, Measured] = {}
    for variant in study.variants:
        for seed, measured in found[variant.key].items():
            if "before" in measured.shares:
                before.setdefault(seed, measured)
    return before


def _shares(variant: Variant, by_seed: Mapping[int, Measured]) -> Mapping[Group, Shares]:
    shares: dict[Group, dict[int, np.ndarray]] = {}
    for seed, measured in by_seed.items():
        model = "before" if variant.role == "floor" else variant.method
        for group, share in measured.shares.get(model, {}).items():
            shares.setdefault(group, {})[seed] = share
    return shares


def _summaries(measured: BySeed) -> list[Mapping[str, Any]]:
    return [run.summary for by_seed in measured.values() for run in by_seed.values()]


def _row(study: Study, variant: Variant, measured: BySeed, shares: AllShares, problems: Mapping[str, list[str]]) -> Row:
    ours = shares[variant.key]
    entries = {}
    for name, figure in FIGURES.items():
        if figure.group is not None:
            entries[name] = _accuracy(ours.get(figure.group, {}), figure.group)
        elif name == "gain":
            entries[name] = _gain(study, variant, shares)
        elif name == "pgr":
            entries[name] = _gap_recovered(study, variant, shares)
        elif variant.role == "floor":
            entries[name] = Entry(reason="It is not trained.")
        else:
            entries[name] = _number({seed: run.summary.get(name) for seed, run in measured[variant.key].items()})
    done = tuple(sorted(measured[variant.key]))
    return Row(variant=variant, done=done, asked=study.seeds, problems=tuple(problems[variant.key]), entries=entries)


_NOTHING_YET = "None of its runs is done."


def _accuracy(shares: Shares, group: Group) -> Entry:
    interval = mean_by_seed(shares, single=group == "clean")
    if interval is None:
        return Entry(reason="Not measured, or none of its runs is done.")
    return Entry.of(interval, {seed: float(share.mean()) for seed, share in shares.items()})


def _number(by_seed: Mapping[int, object]) -> Entry:
    """A number of each run's summary: an interval over seeds, none over images."""
    known = {seed: float(value) for seed, value in by_seed.items() if isinstance(value, int | float)}
    if not known:
        return Entry(reason=_NOTHING_YET)
    interval = over_seeds(list(known.values()))
    return Entry(value=float(np.mean(list(known.values()))), interval=interval, by_seed=known)


def _gain(study: Study, variant: Variant, shares: AllShares) -> Entry:
    if variant.over is None:
        named = any(other.role == "reference" for other in study.variants)
        return Entry(reason="It is what gains are over." if named else "Fine-tuning is not part of this study.")
    ours, theirs = (shares[key].get("robust", {}) for key in (variant.key, variant.over))
    interval = difference_by_seed(ours, theirs)
    if interval is None:
        return Entry(reason="No seed has both runs done.")
    return Entry.of(interval, differences(ours, theirs))


def _gap_recovered(study: Study, variant: Variant, shares: AllShares) -> Entry:
    floors, ceilings = ([v.key for v in study.variants if v.role == role] for role in ("floor", "ceiling"))
    if variant.key in floors or variant.key in ceilings:
        return Entry(reason="It is one end of the gap.")
    if not floors or not ceilings:
        return Entry(reason="Without untouched student and Oracle in this study there is no gap.")
    floor, ceiling, ours = (shares[key].get("robust", {}) for key in (floors[0], ceilings[0], variant.key))
    if not floor.keys() & ceiling.keys() & ours.keys():
        return Entry(reason="No seed has this run and the Oracle's done.")
    interval = gap_recovered_by_seed(ours, floor, ceiling)
    if interval is None:
        return Entry(reason="The Oracle is no better than the untouched student beyond noise: there is no gap.")
    return Entry.of(interval, gaps_recovered(ours, floor, ceiling))


def _compared_with_control(rows: Collection[Row], shares: AllShares) -> list[Row]:
    """Each contender's gain with a remark where it is no more than the control's (the largest of several)."""
    controls = [row for row in rows if row.variant.role == "control" and row.entries["gain"].value is not None]
    if not controls:
        return list(rows)
    control = max(controls, key=lambda row: row.entries["gain"].value or 0.0)
    return [
        _remarked(row, control, shares)
        if row.variant.role == "contender" and row.entries["gain"].value is not None
        else row
        for row in rows
    ]


def _remarked(row: Row, control: Row, shares: AllShares) -> Row:
    ahead = difference_by_seed(*(shares[key].get("robust", {}) for key in (row.variant.key, control.variant.key)))
    if ahead is None or ahead.low > 0:
        return row
    remark: Remark = "smaller than the control's" if ahead.value < 0 else "within noise of the control's"
    return row.with_entry("gain", replace(row.entries["gain"], remark=remark, ahead_of_control=ahead))


def _with_best(rows: Collection[Row], shares: AllShares) -> list[Row]:
    """Marks what is better than every other contender beyond noise, in the accuracies and in what follows from them."""
    contenders = [row.variant.key for row in rows if row.variant.role in ("contender", "floor", "reference")]
    best: dict[str, str] = {}
    for name, figure in FIGURES.items():
        found = None if figure.ranked_by is None else _best(contenders, shares, figure.ranked_by)
        if found is not None:
            best[name] = found
    return [
        row.with_entries(
            {
                name: replace(entry, best=True)
                for name, entry in row.entries.items()
                if best.get(name) == row.variant.key and entry.value is not None
            }
        )
        for row in rows
    ]


def _best(contenders: Collection[str], shares: AllShares, group: Group) -> str | None:
    means = {
        key: interval.value for key in contenders if (interval := mean_by_seed(shares[key].get(group, {}))) is not None
    }
    if len(means) < 2:
        return None
    first = max(means, key=means.__getitem__)
    for other in means.keys() - {first}:
        ahead: Interval | None = difference_by_seed(shares[first][group], shares[other][group])
        if ahead is None or ahead.low <= 0:
            return None
    return first
