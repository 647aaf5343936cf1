"""The figures of the robustness protocol, each named and explained, for every model of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.charts.accuracy import models_in
from app.findings.summaries import interval_of
from bird_backend import measures
from bird_backend.measures import Group, Interval, Predictions

__all__ = ["FIGURES", "Figure", "best", "figures", "relative_note"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A column of the table; `rises` says whether more is better."""

    title: str
    explained: str
    rises: bool = True
    group: Group | None = None
    """For accuracies, what they are over."""


Measured = Mapping[str, Mapping[str, Interval | None]]
"""By model, then by figure; none where it was not measured."""

FIGURES: Mapping[str, Figure] = {
    "clean": Figure(title="Clean", explained="accuracy on the test images as they are.", group="clean"),
    "robust": Figure(
        title="Robust",
        explained="mean accuracy over every corruption measured and its severities 1 to 5; clean is not in it.",
        group="robust",
    ),
    "seen": Figure(
        title="Seen",
        explained="the same over the kinds that a robust teacher may have trained on.",
        group="seen",
    ),
    "held_out": Figure(
        title="Held out",
        explained="the same over the four kinds that no model here ever trains on: the honest test.",
        group="held_out",
    ),
    "pooled": Figure(
        title="Pooled",
        explained="what the reference implementation of BIRD calls robust accuracy: held-out kinds at severities 0 to "
        "5, so that a sixth of it is clean accuracy. Here to be compared with published numbers.",
        group="pooled",
    ),
    "mce": Figure(
        title="mCE",
        explained="mean corruption error: for each corruption, this model's errors as a share of the errors that the "
        "student made before, then the mean. Below 100 % is better than before.",
        rises=False,
    ),
    "relative_mce": Figure(
        title="Relative mCE",
        explained="the same for what corruption adds to each model's own clean error: how much less it suffers, "
        "whatever its clean accuracy.",
        rises=False,
    ),
    "ece_clean": Figure(
        title="ECE, clean",
        explained="expected calibration error on clean images: how far confidence is from how often the model is "
        "right, over fifteen bins of confidence. 0 is a model that knows when it knows.",
        rises=False,
    ),
    "ece_robust": Figure(title="ECE, corrupted", explained="the same on all corrupted images.", rises=False),
}


def figures(predictions: Predictions, summary: Mapping[str, Any] | None = None) -> Measured:
    """Every figure of every model; a bootstrap is not done again where the run's summary holds what it gave."""
    return {
        model: {name: _figure(predictions, model, name, summary) for name in FIGURES}
        for model in models_in(predictions)
    }


def best(predictions: Predictions, measured: Measured, name: str, *, among: Collection[str]) -> str | None:
    """The model whose figure is better than every other's beyond noise; none where there is no such one.

    Accuracies are compared image by image; other figures by intervals that do not meet, which asks for more.
    """
    found = {model: interval for model in among if (interval := measured[model][name]) is not None}
    if len(found) < 2:
        return None
    sign = 1 if FIGURES[name].rises else -1
    first = max(found, key=lambda model: sign * found[model].value)
    group = FIGURES[name].group
    for other in found.keys() - {first}:
        if group is None:
            ours, theirs = found[first], found[other]
            apart = ours.low > theirs.high if sign > 0 else ours.high < theirs.low
        else:
            apart = _better(predictions, first, other, group)
        if not apart:
            return None
    return first


def relative_note(predictions: Predictions) -> str | None:
    """Over how many corruptions the relative mCE is, where it can't be over all."""
    degrading, names = measures.degrading(predictions), predictions.corruptions
    if "before" not in predictions.models or len(degrading) == len(names):
        return None
    return (
        f"Relative mCE is over {len(degrading)} of {len(names)} corruptions: under the others the student before makes "
        "no more errors than on clean images, beyond noise."
    )


def _figure(predictions: Predictions, model: str, name: str, summary: Mapping[str, Any] | None) -> Interval | None:
    group = FIGURES[name].group
    if group is not None:
        return measures.by_group(predictions, model, group)
    kept = None if model == "ceiling" else interval_of(summary, name, model)
    return kept or _bootstrapped(predictions, model, name)


@lru_cache(maxsize=64)
def _bootstrapped(predictions: Predictions, model: str, name: str) -> Interval | None:
    match name:
        case "mce":
            return measures.mean_corruption_error(predictions, model)
        case "relative_mce":
            return measures.relative_mean_corruption_error(predictions, model)
        case "ece_clean":
            return measures.calibration_error(predictions, model, "clean")
        case _:
            return measures.calibration_error(predictions, model, "robust")


def _better(predictions: Predictions, one: str, other: str, group: Group) -> bool:
    shares = [measures.group_share(predictions, model, group) for model in (one, other)]
    if shares[0] is None or shares[1] is None:
        return False
    return measures.over_images(shares[0] - shares[1]).low > 0
