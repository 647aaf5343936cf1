"""`rank`: teachers' layers scored for a student before any transfer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bird_backend import runs
from bird_backend.cli.options import Home, Json, Settings, Spec
from bird_backend.cli.performing import perform_here
from bird_backend.errors import InputError
from bird_backend.experiments import RankSpec, load_spec, override, read_spec
from bird_backend.runs.candidates import candidates
from bird_backend.runs.scores import read_scores

__all__ = ["rank"]


def rank(
    spec: Spec,
    set_: Settings = None,
    every: Annotated[
        bool, typer.Option("--every", help="Score all weights there are, in place of the spec's teachers.")
    ] = False,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Score teachers' layers for a student on its own data, and rank them; `--json` has every score and interval."""
    asked = load_spec({"kind": "rank", **override(read_spec(spec), set_ or [])})
    if not isinstance(asked, RankSpec):
        raise InputError(f"{spec} asks for a run of kind {asked.kind}, not for a ranking; `run` does it.")
    if every:
        teachers = [teacher.model_dump(mode="json") for teacher in candidates(asked.student)]
        asked = load_spec(asked.model_dump(mode="json") | {"teachers": teachers})
    return perform_here(asked, as_json=json_, document=_with_scores)


def _with_scores(summary: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: an end without bound is null, and so is what there is no number of."""
    scores = read_scores(runs.RunStore().get(summary["run"]).directory)
    rows = [] if scores is None else scores.to_dict("records")
    return {**summary, "scores": [{name: _value(value) for name, value in row.items()} for row in rows]}


def _value(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
