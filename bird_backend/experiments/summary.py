"""A run's result as JSON: the figures of `measures` by group and by cell, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bird_backend import measures
from bird_backend.measures import GROUPS, Group, Interval, Predictions

__all__ = ["as_json", "figures", "relative_figures"]

_CALIBRATED: tuple[Group, ...] = ("clean", "robust")


def figures(predictions: Predictions, model: str) -> dict[str, Any]:
    """One network's figures; under `intervals` the same fields with their intervals."""
    groups = {f"{group}_accuracy": measures.by_group(predictions, model, group) for group in GROUPS}
    calibration = {group: measures.calibration_error(predictions, model, group) for group in _CALIBRATED}
    cells: dict[str, dict[str, float]] = {name: {} for name in predictions.corruptions}
    for name, severity in predictions.cells:
        if name in cells:
            cells[name][str(severity)] = float(predictions.correct(model, (name, severity)).mean())
    return {
        **{field: _value(interval) for field, interval in groups.items()},
        "calibration_error": {group: _value(interval) for group, interval in calibration.items()},
        "corruption_accuracy": cells,
        "intervals": {
            **{field: as_json(interval) for field, interval in groups.items()},
            "calibration_error": {group: as_json(interval) for group, interval in calibration.items()},
        },
    }


def relative_figures(predictions: Predictions, models: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a transfer, by key: `models` says which model each key stands for; errors relative to `before`."""
    by_key = {key: figures(predictions, model) for key, model in models.items()}
    for key, model in models.items():
        for field, error in _RELATIVE.items():
            interval = error(predictions, model)
            by_key[key][field] = _value(interval)
            by_key[key]["intervals"][field] = as_json(interval)
    intervals = {key: found.pop("intervals") for key, found in by_key.items()}
    return {**_by_field(by_key), "intervals": _by_field(intervals)}


def as_json(interval: Interval | None) -> dict[str, Any] | None:
    """An interval as it stands in a summary."""
    return None if interval is None else interval.as_dict()


_RELATIVE: Mapping[str, Callable[[Predictions, str], Interval | None]] = {
    "mce": measures.mean_corruption_error,
    "relative_mce": measures.relative_mean_corruption_error,
}


def _by_field(by_key: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    fields = next(iter(by_key.values()))
    return {field: {key: found[field] for key, found in by_key.items()} for field in fields}


def _value(interval: Interval | None) -> float | None:
    return None if interval is None else interval.value
