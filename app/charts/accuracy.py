"""Accuracies of a run's models as tables and bars: clean, each condition at each strength, their means, intervals."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import arm, blank
from app.look.palette import LIGHT
from app.words.intervals import word
from bird_backend import measures
from bird_backend.behaviours import BEHAVIOURS, Behaviour
from bird_backend.measures import CLEAN, Group, Interval, Predictions

__all__ = ["accuracy_bars", "baseline_of", "by_condition", "cells", "gain", "mean_rows", "models_in"]

_MODEL_ORDER = ("before", "none", "fine-tuning")
"""What comes first in a table; a run's own method comes last."""
_GROUPS: dict[Group, str] = {
    "clean": "Clean",
    "robust": "All {conditions}",
    "seen": "Seen by a robust teacher",
    "held_out": "Held out",
}


def models_in(predictions: Predictions) -> list[str]:
    """The models measured: before, fine-tuning, then the run's method, or whatever else there is."""

    def rank(name: str) -> tuple[int, str]:
        if name in _MODEL_ORDER:
            return _MODEL_ORDER.index(name), name
        return len(_MODEL_ORDER) + (name == "ceiling"), name

    return sorted(predictions.models, key=rank)


def baseline_of(predictions: Predictions) -> str | None:
    """What the last of the models has to beat: fine-tuning, else the student before; none where there is neither."""
    *others, _ = models_in(predictions)
    return next((name for name in ("fine-tuning", "before") if name in others), None)


def gain(
    predictions: Predictions, group: Group = "robust", *, of: str | None = None, over: str = "fine-tuning"
) -> Interval | None:
    """How much more accurate `of` is than `over` over a group, image by image; none where either is missing.

    `of` none: the last of the models, which in a transfer is the student after it.
    """
    of = models_in(predictions)[-1] if of is None else of
    if of == over:
        return None
    return measures.gain(predictions, of, over, measures.group_names(predictions, group))


def cells(predictions: Predictions) -> pd.DataFrame:
    """One row a model and cell: accuracy with its interval, and the difference to the student before with its own."""
    behaviour = BEHAVIOURS.find(predictions.behaviour)
    rows = []
    for model in models_in(predictions):
        for name, strength in predictions.cells:
            found = measures.accuracy(predictions, model, (name,), strength)
            over = None if model == "before" else measures.gain(predictions, model, "before", (name,), strength)
            if found is not None:
                rows.append(
                    {
                        "model": model,
                        "condition": name,
                        "strength": strength,
                        "kind": "clean" if name == CLEAN[0] else behaviour.find(name).family,
                        "part": _part(behaviour, name),
                        "n": found.n,
                        "correct": round(found.value * found.n),
                        "accuracy": found.value,
                        "low": found.low,
                        "high": found.high,
                        "interval": found.kind,
                        "over_before": None if over is None else over.value,
                        "over_before_low": None if over is None else over.low,
                        "over_before_high": None if over is None else over.high,
                    }
                )
    return pd.DataFrame(rows)


def mean_rows(predictions: Predictions) -> pd.DataFrame:
    """One row a model and group (clean, robust, seen, held_out): mean accuracy over its cells, interval, n images."""
    rows = []
    for model in models_in(predictions):
        for group, label in _labels(predictions).items():
            if (found := measures.by_group(predictions, model, group)) is not None:
                rows.append({"model": model, "group": group, "label": label, "accuracy": found.value, **_bounds(found)})
    return pd.DataFrame(rows)


def by_condition(predictions: Predictions) -> pd.DataFrame:
    """For people: the means and a row a condition, a column a model, and the last one's difference."""
    behaviour = BEHAVIOURS.find(predictions.behaviour)
    rows = [
        _row(predictions, label, "clean" if group == "clean" else "mean", names)
        for group, label in _labels(predictions).items()
        if (names := measures.group_names(predictions, group)) and predictions.rows(names)
    ]
    ordered = sorted(predictions.conditions, key=lambda name: behaviour.find(name).held_out)
    rows += [_row(predictions, behaviour.find(name).title, _part(behaviour, name), (name,)) for name in ordered]
    return pd.DataFrame(rows)


def accuracy_bars(predictions: Predictions, *, height: int = 300) -> go.Figure:
    """Clean, seen and held-out accuracy of each model with 95 % intervals; before is hollow."""
    means = mean_rows(predictions)
    words = BEHAVIOURS.find(predictions.behaviour).words
    figure = blank(
        f"Accuracy, mean over {words.strengths}", height=height, y="Accuracy", showlegend=True, barmode="group"
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    for model in models_in(predictions):
        rows = means[(means["model"] == model) & (means["group"] != "robust")]
        shown = arm(model)
        figure.add_bar(
            x=rows["label"],
            y=rows["accuracy"],
            name=shown.label,
            marker={
                "color": "rgba(0,0,0,0)" if model == "before" else shown.look.colour,
                "line": {"color": shown.look.colour, "width": 2},
            },
            error_y={
                "type": "data",
                "array": rows["high"] - rows["accuracy"],
                "arrayminus": rows["accuracy"] - rows["low"],
                "color": LIGHT.text,
                "thickness": 1.2,
                "width": 4,
            },
            customdata=rows[["low", "high", "n", "interval"]].to_numpy(),
            hovertemplate="%{y:.1%} (95 %: %{customdata[0]:.1%} to %{customdata[1]:.1%}, %{customdata[3]}, "
            "n=%{customdata[2]})",
        )
    return figure


def _row(predictions: Predictions, label: str, part: str, names: Sequence[str]) -> dict[str, object]:
    row: dict[str, object] = {"What": label, "Kind": part}
    for model in models_in(predictions):
        if (found := measures.accuracy(predictions, model, names)) is not None:
            row[arm(model).label] = found.value
    over, last = baseline_of(predictions), models_in(predictions)[-1]
    if over is not None and (delta := measures.gain(predictions, last, over, names)) is not None:
        row[f"{arm(last).label} − {arm(over).label.lower()} (points)"] = round(100 * delta.value, 1) + 0.0
        row["±"] = 100 * delta.half if delta.bounded else None
        row["Reading"] = word(delta)
    return row | {"n": predictions.n}


def _bounds(interval: Interval) -> dict[str, object]:
    return {"low": interval.low, "high": interval.high, "n": interval.n, "interval": interval.kind}


def _labels(predictions: Predictions) -> dict[Group, str]:
    words = BEHAVIOURS.find(predictions.behaviour).words
    return {group: label.format(conditions=words.conditions) for group, label in _GROUPS.items()}


def _part(behaviour: Behaviour, name: str) -> str:
    if name == CLEAN[0]:
        return "clean"
    return "held out" if behaviour.find(name).held_out else "seen"
