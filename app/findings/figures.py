"""The figures of every network of a run, kept in its summary or worked out of its predictions, and who is best."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from app.charts.accuracy import models_in
from bird_backend import measures
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.measures import Group, Interval, Predictions
from bird_backend.measures.figures import FIGURES, columns, read_figure, work_out

__all__ = ["Found", "best", "figures", "relative_note"]

Found = Mapping[str, Mapping[str, Interval | None]]
"""By model, then by figure; none where it was not measured."""


def figures(predictions: Predictions, summary: Mapping[str, Any] | None = None) -> Found:
    """What the table of a run shows; a bootstrap is not done again where the run's summary holds what it gave."""
    return {
        model: {
            name: read_figure(summary, model, name) or work_out(predictions, model, name) for name in columns("run")
        }
        for model in models_in(predictions)
    }


def best(predictions: Predictions, found: Found, name: str, *, among: Collection[str]) -> str | None:
    """The model whose figure is better than every other's beyond noise; none where there is no such one.

    Accuracies are compared image by image; other figures by intervals that do not meet, which asks for more.
    """
    figure = FIGURES[name]
    known = {model: interval for model in among if (interval := found[model][name]) is not None}
    if len(known) < 2 or figure.rises is None:
        return None
    sign = 1 if figure.rises else -1
    first = max(known, key=lambda model: sign * known[model].value)
    for other in known.keys() - {first}:
        if figure.group is None:
            apart = figure.ahead(known[first], known[other])
        else:
            apart = _better(predictions, first, other, figure.group)
        if not apart:
            return None
    return first


def relative_note(predictions: Predictions) -> str | None:
    """Over how many conditions the relative mCE is, where it can't be over all."""
    degrading, names = measures.degrading(predictions), predictions.conditions
    if "before" not in predictions.models or len(degrading) == len(names):
        return None
    words = BEHAVIOURS.find(predictions.behaviour).words
    return (
        f"Relative mCE is over {len(degrading)} of {len(names)} {words.conditions}: under the others the student "
        "before makes no more errors than on clean images, beyond noise."
    )


def _better(predictions: Predictions, one: str, other: str, group: Group) -> bool:
    shares = [measures.group_share(predictions, model, group) for model in (one, other)]
    if shares[0] is None or shares[1] is None:
        return False
    return measures.over_images(shares[0] - shares[1]).low > 0
