"""`assets pairs`: the study of pairs that comes with the project, run, scored and written anew from its recipe."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from bird_backend import settings
from bird_backend.cli.study_runner import perform_study
from bird_backend.errors import BirdError, InputError, RunError
from bird_backend.experiments import RankSpec, TransferSpec, load_spec
from bird_backend.jobs.leases import lease
from bird_backend.jobs.process import OnProgress, perform
from bird_backend.prediction import PAIR
from bird_backend.runs.directory import write_atomic
from bird_backend.runs.scores import read_scores, widen
from bird_backend.runs.store import RunStore
from bird_backend.studies import Plan, network_of, pairs_of, plan_pairs, rankings_of

__all__ = ["FOLDER", "make_pairs", "plan_shipped", "with_scores"]

FOLDER = settings.ASSETS / "studies"
_LEFT_OUT = ("state", "run", "seconds", "validation_robust")
"""Columns that say something of the home the study was run in, or that no page reads."""


def make_pairs(name: str, on_progress: OnProgress) -> dict[str, Any]:
    """Run the study of `assets/studies/NAME.json` and score its teachers; its table goes to `NAME.parquet` beside it.

    What is done stays and is used again, as long as code, weights and data are the same.
    """
    plan = plan_shipped(name)
    study, failures = perform_study(plan, on_progress=on_progress)
    if failures:
        raise RunError(f"{len(failures)} runs came to nothing, the first: {failures[0]}")
    scores = [widen(_scores_of(spec, on_progress)) for spec in rankings_of(plan)]
    table = with_scores(pairs_of(study).done, pd.concat(scores, ignore_index=True))
    target = FOLDER / f"{name}.parquet"
    write_atomic(target, table.to_parquet(index=False))
    return {"name": target.name, "rows": len(table), "bytes": target.stat().st_size}


def plan_shipped(name: str) -> Plan:
    """The study that a recipe asks for; weights that are missing are an `InputError` that says how they are made."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise InputError(f"There is no recipe {path.name} in assets/studies.")
    recipe = json.loads(path.read_text("utf-8"))
    base = load_spec(recipe["base"])
    if not isinstance(base, TransferSpec):
        raise InputError(f"{path.name} asks for a run of kind {base.kind}; a study of pairs is of transfers.")
    try:
        teachers, students = ([network_of(one) for one in recipe[role]] for role in ("teachers", "students"))
    except BirdError as error:
        raise InputError(f"{error} `zoo` makes the study's networks.") from error
    return plan_pairs(
        base,
        teachers=teachers,
        students=students,
        layers=[(guiding, guided) for guiding, guided in recipe["layers"]],
        seeds=recipe["seeds"],
    )


def with_scores(pairs: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of a study of pairs, one a pair and seed, with every score of their pair beside them.

    A pair that was not scored is a `RunError`.
    """
    joined = pairs.drop(columns=[*_LEFT_OUT]).merge(scores, on=list(PAIR), how="left", validate="m:1", indicator=True)
    if (joined["_merge"] == "left_only").any():
        raise RunError(f"{int((joined['_merge'] == 'left_only').sum())} pairs have no scores.")
    return joined.drop(columns="_merge")


def _scores_of(spec: RankSpec, on_progress: OnProgress) -> pd.DataFrame:
    store = RunStore()
    run = store.find_same(spec, states=("done",))
    if run is None:
        device = lease(spec.device)
        run = store.create(spec, state="running", device=device)
        perform(run.id, device=device, on_progress=on_progress)
    scores = read_scores(store.get(run.id).directory)
    if scores is None:
        raise RunError(f"The ranking {run.id} kept no scores.")
    return scores
