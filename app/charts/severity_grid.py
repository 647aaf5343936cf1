"""Accuracies and differences of every condition and strength, with the means over rows and groups, for the browser.

A value is `[value, low, high]`, an end without bound none; a difference has a fourth, 1 where it is beyond noise among
all that are tested at once. Keys: `contrast 3` for a cell, `contrast` for a row's mean, `seen 3` and `seen` for a
group's, `robust` for all conditions and `clean 0` for images as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from app.charts.accuracy import models_in
from app.charts.frame import arm
from bird_backend import measures
from bird_backend.behaviours import BEHAVIOURS, Behaviour
from bird_backend.measures import CLEAN, Interval, Predictions

__all__ = ["PARTS", "cell_key", "cell_of", "severity_grid"]

PARTS = {
    "seen": ("Seen", "kinds that a robust teacher may train on"),
    "held_out": ("Held out", "kinds that no model ever trains on: the honest test"),
}


def cell_key(name: str, strength: int) -> str:
    """As a cell is called in the address and in the browser, `contrast.3`."""
    return f"{name}.{strength}"


def cell_of(key: str, predictions: Predictions) -> tuple[str, int] | None:
    """The measured cell that a key names, if it names one."""
    return next((cell for cell in predictions.cells if cell_key(*cell) == key), None)


@lru_cache(maxsize=4)
def severity_grid(predictions: Predictions) -> dict[str, Any]:
    """Rows, groups, and what was measured of each model, ready for JSON. Do not write to it: it is kept."""
    models = models_in(predictions)
    behaviour = BEHAVIOURS.find(predictions.behaviour)
    families = _families(behaviour, predictions)
    groups = dict(_groups(behaviour, families, predictions))
    references = [name for name in ("before", "fine-tuning") if name in models]
    return {
        "strengths": list(predictions.strengths),
        "words": {"condition": behaviour.words.condition, "strength": behaviour.words.strength}
        | {"strengths": behaviour.words.strengths},
        "n": predictions.n,
        "rows": [
            {"name": name, "title": facts.title, "caption": facts.caption}
            for name in predictions.conditions
            if (facts := behaviour.find(name))
        ],
        "groupings": {
            "part": [
                {"name": key, "title": title, "note": note, "rows": groups[key]}
                for key, (title, note) in PARTS.items()
                if groups[key]
            ],
            "kind": [
                {"name": family, "title": family.capitalize(), "note": "", "rows": groups[family]}
                for family in families
            ],
        },
        "models": [{"name": name, "label": arm(name).label} for name in models],
        "references": [{"name": name, "label": _reference(name)} for name in references],
        "accuracy": {model: dict(_accuracies(predictions, model, groups)) for model in models},
        "difference": {
            model: {
                over: _differences(predictions, model, over, groups)
                for over in references
                if model not in (over, "before")
            }
            for model in models
        },
    }


def _reference(name: str) -> str:
    return arm(name).label.lower()


def _families(behaviour: Behaviour, predictions: Predictions) -> list[str]:
    return list(dict.fromkeys(behaviour.find(name).family for name in predictions.conditions))


def _groups(behaviour: Behaviour, families: list[str], predictions: Predictions) -> Iterator[tuple[str, list[str]]]:
    names = predictions.conditions
    yield "robust", list(names)
    for part in PARTS:
        yield part, [name for name in names if behaviour.find(name).held_out is (part != "seen")]
    for family in families:
        yield family, [name for name in names if behaviour.find(name).family == family]


def _keys(predictions: Predictions, groups: dict[str, list[str]]) -> Iterator[tuple[str, list[str], int | None]]:
    """Every key with the conditions and the strength (none: all) that it is over."""
    yield f"{CLEAN[0]} 0", [CLEAN[0]], 0
    over = {**{name: [name] for name in predictions.conditions}, **groups}
    for key, names in over.items():
        yield key, names, None
        for strength in predictions.strengths:
            yield f"{key} {strength}", names, strength


def _accuracies(
    predictions: Predictions, model: str, groups: dict[str, list[str]]
) -> Iterator[tuple[str, list[float | None]]]:
    for key, names, strength in _keys(predictions, groups):
        if (found := measures.accuracy(predictions, model, names, strength)) is not None:
            yield key, _plain(found)


def _differences(
    predictions: Predictions, model: str, over: str, groups: dict[str, list[str]]
) -> dict[str, list[float | None]]:
    """Each with whether it is beyond noise: means over whole groups by themselves, all others among one another."""
    found, p_values = {}, {}
    for key, names, strength in _keys(predictions, groups):
        ours, theirs = (predictions.share(name, names, strength) for name in (model, over))
        if ours is None or theirs is None:
            continue
        found[key] = measures.over_images(ours - theirs)
        if key not in groups and key != f"{CLEAN[0]} 0":
            p_values[key] = measures.two_sided(ours - theirs)
    out = measures.standing_out(p_values)
    return {
        key: [*_plain(gap), float(gap.beyond_noise and (key in out or key not in p_values))]
        for key, gap in found.items()
    }


def _plain(interval: Interval) -> list[float | None]:
    """JSON has no infinity, so an end without bound is none."""
    ends = (interval.value, interval.low, interval.high)
    return [round(value, 5) if math.isfinite(value) else None for value in ends]
