"""The app's door to studies: plan one, start it, find it again, and read its curves and its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from app.backend import data
from app.backend.metrics import thin
from bird_backend import studies
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.runs.store import RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies import (
    ABLATIONS,
    USUAL_CONTROLS,
    Entry,
    Pairs,
    Plan,
    Progress,
    Results,
    Row,
    Study,
    Variant,
    say,
)
from bird_backend.studies.pairs import Layers

__all__ = [
    "ABLATIONS",
    "USUAL_CONTROLS",
    "Entry",
    "Layers",
    "Pairs",
    "Plan",
    "Progress",
    "Results",
    "Row",
    "Study",
    "Variant",
    "add_seeds",
    "already_there",
    "curve",
    "extend_study",
    "find_study",
    "find_study_of",
    "list_studies",
    "more_runs",
    "pairs_of",
    "plan_pairs",
    "plan_study",
    "progress_of",
    "results",
    "resume_study",
    "retry_study",
    "runs_of",
    "say",
    "start_study",
    "stop_study",
]


def plan_study(document: Mapping[str, Any], preset: str, *, seeds: int, controls: Sequence[str] = ()) -> Plan:
    """The runs of a comparison of `methods`, or of an ablation by name; an `InputError` says what can't be."""
    base = _transfer(document)
    if preset == "methods":
        return studies.plan_methods(base, seeds=seeds, controls=tuple(controls))
    return studies.plan_ablation(base, preset, seeds=seeds)


def plan_pairs(
    document: Mapping[str, Any],
    *,
    teachers: Sequence[ModelRef] = (),
    students: Sequence[ModelRef] = (),
    layers: Layers = "all",
    seeds: int = 1,
    random_teachers: bool = False,
    budget_seconds: float | None = None,
) -> Plan:
    """The runs of a study of pairs on a transfer's document, whose own teacher and student stand where none is named.

    `layers` are all, by depth, or (teacher's, student's) pairs, alike for every teacher or by teacher.
    """
    return studies.plan_pairs(
        _transfer(document),
        teachers=teachers,
        students=students,
        layers=layers,
        seeds=seeds,
        random_teachers=random_teachers,
        budget_seconds=budget_seconds,
    )


def already_there(plan: Plan) -> int:
    """How many of a plan's runs are done, under way or waiting, and would be taken as they are."""
    return RunStore().count_same([plan.spec(variant, seed) for variant, seed in plan.asked])


def start_study(plan: Plan) -> Study:
    """Queue every run of a plan that was not done already."""
    study = studies.submit_study(plan, start_worker=False)
    data.ensure_worker()
    return study


def stop_study(study_id: str) -> None:
    """Stop what is queued or running of a study. A run that it shares with another study stops for that one too."""
    studies.stop_study(study_id)


def resume_study(study_id: str) -> None:
    """Go on with what was stopped, has failed or was never begun of a study."""
    studies.resume_study(study_id)
    data.ensure_worker()


def retry_study(study_id: str) -> None:
    """Queue again what failed of a study."""
    studies.resume_study(study_id, states=("failed",))
    data.ensure_worker()


def extend_study(study_id: str, seconds: float) -> None:
    """Give a study so much more time, and go on with what it did not come to."""
    studies.extend_study(study_id, seconds)
    data.ensure_worker()


def more_runs(study: Study, count: int) -> int:
    """How many runs `count` more seeds of a study are; an `InputError` where it can't have so many."""
    return len(studies.with_more_seeds(study, count).asked) - len(study.asked)


def add_seeds(study_id: str, count: int) -> None:
    """Queue every variant of a study at so many more seeds."""
    studies.add_seeds(study_id, count)
    data.ensure_worker()


def pairs_of(study: Study) -> Pairs:
    """A study of pairs as a table, as far as it has come."""
    return studies.pairs_of(study)


def progress_of(study: Study, runs: Mapping[str, data.Run]) -> Progress:
    """How far a study is; `runs` are its own."""
    return studies.progress_of(study, runs)


def list_studies(*, limit: int | None = 50) -> list[Study]:
    """Newest first."""
    return studies.list_studies(limit=limit)


def find_study_of(run: data.Run) -> Study | None:
    """The newest study that a run is of, if any."""
    return studies.find_study_of(run.id)


def find_study(study_id: str) -> Study | None:
    """The study of that name; none where there is no such study."""
    try:
        return studies.read_study(study_id)
    except UnknownNameError:
        return None


def runs_of(study: Study) -> Mapping[str, data.Run]:
    """The study's runs as they are now, by id."""
    return studies.runs_of(study)


def results(study: Study) -> Results:
    """The study's table of what is done so far."""
    return studies.results(study)


def _transfer(document: Mapping[str, Any]) -> TransferSpec:
    base = load_spec(document)
    if not isinstance(base, TransferSpec):
        raise InputError("A study is of transfers.")
    return base


def curve(run: data.Run, kind: str, column: str, arm: str = "") -> pd.DataFrame:
    """`step`, `epoch` and `value` of an arm, the run's own where none is named; empty before there are any."""
    if run.state == "done":
        return _finished(run.id, kind, column, arm)
    return _curve(run, kind, column, arm)


@lru_cache(maxsize=1024)
def _finished(run_id: str, kind: str, column: str, arm: str) -> pd.DataFrame:
    """What is done doesn't change, and a study asks for more runs at once than whole metrics are kept of."""
    run = data.get_run(run_id)
    return pd.DataFrame() if run is None else _curve(run, kind, column, arm)


def _curve(run: data.Run, kind: str, column: str, arm: str) -> pd.DataFrame:
    metrics = data.metrics(run)
    if "type" not in metrics or column not in metrics:
        return pd.DataFrame()
    own = metrics[metrics["arm"] == (arm or data.arm_of(run))]
    rows = thin(own[(own["type"] == kind) & own[column].notna()].sort_values("step"), 300)
    steps = own[(own["type"] == "step") & (own["step"] > 0)]
    pace = float((steps["epoch"] / steps["step"]).median()) if len(steps) and "epoch" in steps else 0.0
    return pd.DataFrame(
        {"step": rows["step"].to_numpy(), "epoch": rows["step"].to_numpy() * pace, "value": rows[column].to_numpy()}
    )
