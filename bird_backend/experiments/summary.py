"""A run's result as JSON: accuracies by group and by cell, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bird_backend import catalog
from bird_backend.evaluation import AccuracyTable, Interval

__all__ = ["accuracies", "as_json"]


def accuracies(table: AccuracyTable, corruptions: Sequence[str], models: dict[str, str]) -> dict[str, Any]:
    """The summary's accuracies: one value each where the only model's key is empty, else a dict by key."""
    seen = [name for name in corruptions if catalog.find_corruption(name).seen]
    held_out = [name for name in corruptions if name not in seen]
    groups = {
        "clean_accuracy": ["clean"],
        "robust_accuracy": list(corruptions),
        "seen_accuracy": seen,
        "held_out_accuracy": held_out,
    }
    intervals = {
        field: {key: table.mean(model, names) for key, model in models.items()} for field, names in groups.items()
    }
    cells = {
        key: {name: row for name, row in table.by_cell(model).items() if name != "clean"}
        for key, model in models.items()
    }
    result: dict[str, Any] = {
        field: {key: None if interval is None else interval.value for key, interval in by_key.items()}
        for field, by_key in intervals.items()
    }
    result["corruption_accuracy"] = cells
    result["intervals"] = {
        field: {key: as_json(interval) for key, interval in by_key.items()} for field, by_key in intervals.items()
    }
    if list(models) == [""]:
        result = {
            field: {inner: entry[""] for inner, entry in value.items()} if field == "intervals" else value[""]
            for field, value in result.items()
        }
    return {"n_test": table.n, **result}


def as_json(interval: Interval | None) -> dict[str, float] | None:
    """An interval as it stands in a summary."""
    return None if interval is None else interval.as_dict()
