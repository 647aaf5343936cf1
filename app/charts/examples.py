"""The kept test images of one cell, clean and changed, with what each model said of them, for the browser."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.backend.data import Examples
from app.charts.accuracy import models_in
from app.charts.frame import arm
from app.charts.geometry import atlas
from bird_backend.measures import Cell, Predictions

__all__ = ["cell_examples"]


def cell_examples(predictions: Predictions, examples: Examples, cell: Cell) -> dict[str, Any]:
    """Pictures in the order they are kept in: those on which the models disagree, then those that all get wrong.

    `sheet` holds the clean pictures in its first row and the changed ones below; `agree` is `right`, `wrong` or
    `no` for each.
    """
    row = predictions.cells.index(cell)
    places = examples.shown[row]
    columns = examples.pool[places]
    models = models_in(predictions)
    right = np.stack([predictions.predicted[model][row, columns] == predictions.labels[columns] for model in models])
    return {
        "kept": len(examples.pool),
        "sheet": atlas(
            np.concatenate([examples.clean[places], examples.changed[row]]), lossless=True, columns=len(places)
        ),
        "shown": [
            {
                "truth": str(examples.classes[predictions.labels[column]]),
                "agree": "right" if right[:, at].all() else "no" if right[:, at].any() else "wrong",
                "says": [
                    {
                        "model": arm(model).label,
                        "said": str(examples.classes[predictions.predicted[model][row, column]]),
                        "sure": round(float(predictions.confidence[model][row, column]), 3),
                        "right": bool(right[place, at]),
                    }
                    for place, model in enumerate(models)
                ],
            }
            for at, column in enumerate(columns.tolist())
        ],
    }
