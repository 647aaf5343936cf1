"""Expected calibration error (Guo 2017) on clean images and on changed ones."""

from __future__ import annotations

from bird_backend.measures.calibration import calibration_error
from bird_backend.measures.figures.declaration import SHARE, Figure

__all__ = ["DECLARES"]

DECLARES = (
    Figure(
        name="ece_clean",
        place=50,
        title="ECE, clean",
        explained="expected calibration error on clean images: how far confidence is from how often the model is "
        "right, over fifteen bins of confidence. 0 is a model that knows when it knows.",
        unit=SHARE,
        rises=False,
        in_run=lambda run: calibration_error(run.predictions, run.model, "clean"),
        shown=frozenset({"run", "report"}),
    ),
    Figure(
        name="ece_robust",
        place=51,
        title="ECE, robust",
        explained="the same on all images under a condition.",
        unit=SHARE,
        rises=False,
        in_run=lambda run: calibration_error(run.predictions, run.model, "robust"),
        shown=frozenset({"run", "report"}),
    ),
)
