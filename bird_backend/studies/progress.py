"""How far a study is, and going on with it: stop it, try again what failed, give it more time or more seeds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bird_backend.durations import exact
from bird_backend.errors import InputError
from bird_backend.runs.checks import check_transfer
from bird_backend.runs.claiming import stop_waiting
from bird_backend.runs.queue import ensure_supervisor
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.runs.table import RunTable
from bird_backend.studies.pairs import MOST_RUNS
from bird_backend.studies.plan import more_seeds
from bird_backend.studies.store import (
    find_study_of,
    note_runs,
    read_study,
    read_within,
    runs_of,
    states_of,
    write_study,
)
from bird_backend.studies.study import Member, Plan, Study

__all__ = [
    "Progress",
    "add_seeds",
    "end_of_budget",
    "extend_study",
    "progress_of",
    "resume_study",
    "stop_study",
    "with_more_seeds",
]

_STOPPED = "Stopped with its study before it was begun."


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study is."""

    states: Mapping[str, int]
    """How many members are in which state; `waiting` of those without a run."""
    spent_seconds: float
    """What the study's own runs took that are done; those that were done before it was asked for cost it nothing."""
    left_seconds: float | None
    """What is queued and running will take about as much each as those; none before one is done."""

    @property
    def open(self) -> int:
        """Members whose runs are queued or under way."""
        return sum(self.states.get(state, 0) for state in ("queued", "running", "interrupted"))


def progress_of(study: Study, runs: Mapping[str, Run] | None = None) -> Progress:
    """As its runs are now."""
    runs = runs_of(study) if runs is None else runs
    states = states_of(study, runs)
    took = _took(study, runs)
    to_come = sum(run.state in ("queued", "running", "interrupted") for run in runs.values())
    return Progress(
        states=states,
        spent_seconds=sum(took),
        left_seconds=sum(took) / len(took) * to_come if took else None,
    )


def stop_study(study_id: str) -> Study:
    """Stop what is queued or under way of a study; a run that it shares with another study stops for that one too."""
    study = read_study(study_id)
    with RunTable().writing() as db:
        stop_waiting(db, study.run_ids, reason=_STOPPED)
        for run_id in study.run_ids:
            db.execute(
                "update runs set cancel_requested = ? where id = ? and state = 'running' and cancel_requested is null",
                (time.time(), run_id),
            )
    return study


def resume_study(
    study_id: str, *, states: tuple[State, ...] = ("cancelled", "failed"), start_worker: bool = False
) -> Study:
    """Queue again those of a study's runs that are in one of `states`, and what has no run; the study as it is then.

    One that has no time left is an `InputError`.
    """
    study, store = read_study(study_id), RunStore()
    runs = runs_of(study)
    _check_time(study, runs)
    missing = [member for member in study.members if member.run not in runs]
    if missing and "cancelled" in states:
        specs = [study.spec(study.variant(member.variant), member.seed) for member in missing]
        kept: list[Study] = []

        def keep(db: sqlite3.Connection, made: list[Run]) -> None:
            kept.append(note_runs(study, {(m.variant, m.seed): run.id for m, run in zip(missing, made, strict=True)}))
            write_study(db, kept[0])

        store.create_all(specs, reuse=True, keep=keep)
        study = kept[0]
    for run in runs.values():
        if run.state in states:
            store.requeue(run.id, states=states, forgive=True)
    if start_worker:
        ensure_supervisor()
    return study


def extend_study(study_id: str, seconds: float, *, start_worker: bool = False) -> Study:
    """Give a study with a budget so much more of it, and go on with what was not begun."""
    study = read_study(study_id)
    if study.budget_seconds is None:
        raise InputError(f"The study {study_id} has no budget that could be extended; it goes on until all is done.")
    if seconds <= 0:
        raise InputError("A study is extended by some time, such as 30m.")
    # From what it has really taken: the run under way when the budget ended was done all the same.
    budget = max(study.budget_seconds, progress_of(study).spent_seconds) + seconds
    with RunTable().writing() as db:
        write_study(db, study.model_copy(update={"budget_seconds": budget}))
    return resume_study(study_id, states=("cancelled",), start_worker=start_worker)


def with_more_seeds(study: Study, count: int) -> Plan:
    """What a study would be with the `count` seeds that follow its own; one that can't be is an `InputError`."""
    more = study.model_copy(update={"seeds": (*study.seeds, *more_seeds(study, count))})
    if len(more.asked) > MOST_RUNS:
        raise InputError(
            f"With {count} more seeds that would be {len(more.asked):,} runs, and a study takes {MOST_RUNS:,}."
        )
    return more


def add_seeds(study_id: str, count: int, *, start_worker: bool = False) -> Study:
    """Queue every variant of a study at the `count` seeds that follow its own; what was stopped of it stays so.

    A study that has no time left, or can't have so many, is an `InputError`.
    """
    study = read_study(study_id)
    _check_time(study, runs_of(study))
    more = with_more_seeds(study, count)
    asked = [(variant, seed) for variant, seed in more.asked if seed not in study.seeds]
    specs = [more.spec(variant, seed) for variant, seed in asked]
    for spec in specs[: len(specs) // count]:
        check_transfer(spec)
    kept: list[Study] = []

    def keep(db: sqlite3.Connection, made: list[Run]) -> None:
        now = read_within(db, study_id)
        if now.seeds != study.seeds:
            raise InputError(f"The study {study_id} was given other seeds at the same moment; look at it again.")
        added = (
            Member(variant=variant.key, seed=seed, run=run.id) for (variant, seed), run in zip(asked, made, strict=True)
        )
        kept.append(now.model_copy(update={"seeds": more.seeds, "members": (*now.members, *added)}))
        write_study(db, kept[0])

    RunStore().create_all(specs, reuse=True, keep=keep)
    if start_worker:
        ensure_supervisor()
    return kept[0]


def end_of_budget(run_id: str, *, seconds: float) -> str | None:
    """Stop what is queued of a run's study if that has taken all of its time; then a sentence that says so.

    `seconds` are the run's own, which is about to be closed.
    """
    study = find_study_of(run_id)
    if study is None or study.budget_seconds is None:
        return None
    if sum(_took(study, runs_of(study))) + seconds < study.budget_seconds:
        return None
    reason = f"{_used_up(study.budget_seconds)}; extend it to go on."
    with RunTable().writing() as db:
        stop_waiting(db, study.run_ids, reason=reason)
    return reason


def _check_time(study: Study, runs: Mapping[str, Run]) -> None:
    if study.budget_seconds is not None and sum(_took(study, runs)) >= study.budget_seconds:
        raise InputError(f"{_used_up(study.budget_seconds)}; extend it to go on.")


def _used_up(budget_seconds: float) -> str:
    return f"The study's budget of {exact(budget_seconds)} is used up"


def _took(study: Study, runs: Mapping[str, Run]) -> list[float]:
    own = (run for run in runs.values() if run.summary is not None and (run.finished or 0.0) >= study.created)
    return [float(run.summary["seconds"]) for run in own if run.summary is not None and run.summary.get("seconds")]
