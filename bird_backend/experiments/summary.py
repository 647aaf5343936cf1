"""A run's result as JSON: every figure of every network by name, each with its interval, and accuracies by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bird_backend.measures import Interval, Predictions, chance
from bird_backend.measures.figures import write_figures

__all__ = ["summarise"]


def summarise(
    predictions: Predictions, *, after: str, recorded: Mapping[str, Mapping[str, Interval]], strengths: str
) -> dict[str, Any]:
    """`after` is the network that the run is about; `recorded` by model and figure what only its training knows.

    `strengths` is what those mean at the images' size, in a sentence.
    """
    # In the order of a table: the network that the run is about comes last.
    models = sorted(predictions.models, key=lambda model: (model == after, model != "before"))
    figures = write_figures(predictions, recorded)
    return {
        "behaviour": predictions.behaviour,
        "strengths": strengths,
        "n_test": predictions.n,
        "after": after,
        "chance": chance(predictions),
        "figures": {model: figures[model] for model in models},
        "cells": {model: _cells(predictions, model) for model in models},
    }


def _cells(predictions: Predictions, model: str) -> dict[str, dict[str, float]]:
    cells: dict[str, dict[str, float]] = {name: {} for name in predictions.conditions}
    for name, strength in predictions.cells:
        if name in cells:
            cells[name][str(strength)] = float(predictions.correct(model, (name, strength)).mean())
    return cells
