"""What a run found, for a person: its figures with their intervals, as a table and sentences."""

from __future__ import annotations

from bird_backend.behaviours import BEHAVIOURS
from bird_backend.experiments.declaration import Report, Summary
from bird_backend.measures import Interval, at_chance, ends
from bird_backend.measures.figures import FIGURES, Figure, columns, read_figure

__all__ = ["figures_report"]

_GAINS = {"gain": "fine-tuning", "gain_over_before": "before"}


def figures_report(summary: Summary) -> Report:
    """Of a run that measured networks: a column for each of them, then what was gained."""
    models = list(summary["figures"])
    read = {name: [read_figure(summary, model, name) for model in models] for name in columns("report")}
    found = {name: intervals for name, intervals in read.items() if any(intervals)}
    rows = [(FIGURES[name].heading, *(_say(FIGURES[name], each) for each in found[name])) for name in found]
    words = BEHAVIOURS.find(summary["behaviour"]).words
    footer = f"n = {summary['n_test']} test images {words.under}, {summary['seconds']} s"
    if "pooled" in found:
        footer += f"; the reference's pooled figure is held-out {words.conditions} at {words.strengths} 0 to 5,"
        footer += " a sixth of it clean"
    said = [sentence.rstrip(".")] if (sentence := summary.get("strengths", "")) else []
    gains = [
        f"{summary['after']} over {over}: {_say(FIGURES[name], gain)} points of robust accuracy"
        f" (95 % over images; one seed)"
        for name, over in _GAINS.items()
        if (gain := read_figure(summary, summary["after"], name)) is not None
    ]
    collapsed = [
        f"{model} is no better than chance on clean images: it has collapsed, and a gain over it says nothing"
        for model in models
        if (clean := read_figure(summary, model, "clean")) is not None and at_chance(clean, summary["chance"])
    ]
    return Report(header=("95 % over images", *models), rows=tuple(rows), lines=(footer, *said, *gains, *collapsed))


def _say(figure: Figure, interval: Interval | None) -> str:
    """`71.3 (69.4 to 73.1)`."""
    if interval is None:
        return "–"
    unit = figure.unit
    around = f" ({ends(interval, unit.digits, factor=unit.scale, sign=unit.sign)})" if interval.estimated else ""
    return f"{unit.text(interval.value)}{around}"
