"""A run's metrics and results as named numbers, which trackers of experiments keep: by arm, name, step and time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.exports.metrics import metrics_of
from bird_backend.measures.figures import FIGURES, read_figure
from bird_backend.runs.store import Run

__all__ = ["Scalar", "figures_of", "flattened", "scalars"]

_NO_NUMBERS = ("type", "arm", "step", "t")
_GROUPS = {"step": "train", "epoch": "validation", "snapshot": "probes"}
"""What a tracker's page puts together, by the type of a row."""


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """One number: `name` says which (`train/task_loss`), `when` is in seconds since the epoch."""

    arm: str
    name: str
    step: int
    when: float
    value: float


def scalars(run: Run) -> Iterator[Scalar]:
    """Every finite number of the metrics, in the order of the rows."""
    rows, began = metrics_of(run), run.started or run.created
    if not {"type", "arm", "step"} <= set(rows.columns):
        raise InputError(f"The metrics of run {run.id} are no rows of a training.")
    names = [name for name in rows.columns if name not in _NO_NUMBERS and pd.api.types.is_numeric_dtype(rows[name])]
    for row in rows.to_dict("records"):
        seconds = row.get("t")
        when = began if seconds is None or math.isnan(seconds) else began + float(seconds)
        for name in names:
            value = row[name]
            if math.isfinite(value):
                place = f"{_GROUPS.get(str(row['type']), row['type'])}/{name}"
                yield Scalar(arm=str(row["arm"]), name=place, step=int(row["step"]), when=when, value=float(value))


def figures_of(run: Run) -> dict[str, dict[str, float]]:
    """The figures of every network of a run that is done, by network and name; empty where none was measured."""
    models = (run.summary or {}).get("figures")
    if not isinstance(models, dict):
        return {}
    return {
        model: {name: found.value for name in FIGURES if (found := read_figure(run.summary, model, name)) is not None}
        for model in models
    }


def flattened(document: Any, prefix: str = "") -> dict[str, str]:
    """A spec as flat text by dotted names, such as `training.lr`; lists are JSON."""
    if not isinstance(document, dict):
        return {prefix: document if isinstance(document, str) else json.dumps(document)}
    return {
        name: text
        for key, value in document.items()
        for name, text in flattened(value, f"{prefix}.{key}" if prefix else str(key)).items()
    }
