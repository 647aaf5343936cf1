"""Figures of a run as its summary keeps them, `figures[model][name]`: written once, at its end, and read by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bird_backend.measures.figures.declaration import Figure, InRun, Table
from bird_backend.measures.intervals import Interval
from bird_backend.measures.predictions import Predictions
from bird_backend.registry import Registry

__all__ = ["FIGURES", "columns", "read_figure", "work_out", "write_figures"]

FIGURES: Registry[Figure] = Registry("figure", "bird_backend.measures.figures", files=True)
"""Every figure by name."""

Summary = Mapping[str, Any] | None


def columns(table: Table) -> tuple[str, ...]:
    """The figures that a table shows unless it is told otherwise."""
    return tuple(name for name, figure in FIGURES.items() if table in figure.shown)


def write_figures(
    predictions: Predictions, recorded: Mapping[str, Mapping[str, Interval]]
) -> dict[str, dict[str, Any]]:
    """What a summary keeps: every figure that there is of every network; `recorded` is by model, then figure."""
    found: dict[str, dict[str, Any]] = {}
    for model in predictions.models:
        run = InRun(predictions=predictions, model=model, recorded=recorded.get(model, {}))
        intervals = {name: figure.in_run(run) for name, figure in FIGURES.items()}
        found[model] = {name: interval.as_dict() for name, interval in intervals.items() if interval is not None}
    return found


def read_figure(summary: Summary, model: str, name: str) -> Interval | None:
    """A figure as a summary keeps it; none where it has none."""
    if not isinstance(summary, Mapping):
        return None
    figure = FIGURES[name]
    if figure.summary_field is not None:
        value = summary.get(figure.summary_field)
        return Interval.of_number(float(value), 1, "no interval, of runs") if isinstance(value, int | float) else None
    by_model = summary.get("figures")
    by_name = by_model.get(model) if isinstance(by_model, Mapping) else None
    return Interval.from_dict(by_name.get(name)) if isinstance(by_name, Mapping) else None


@lru_cache(maxsize=256)
def work_out(predictions: Predictions, model: str, name: str) -> Interval | None:
    """A figure that no summary keeps, such as one that was declared since, or of a network put beside a run's own."""
    return FIGURES[name].in_run(InRun(predictions=predictions, model=model))
