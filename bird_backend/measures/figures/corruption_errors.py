"""mCE and relative mCE (Hendrycks & Dietterich 2019), over the untouched student's errors."""

from __future__ import annotations

from bird_backend.measures.figures.declaration import SHARE, Figure
from bird_backend.measures.robustness import mean_corruption_error, relative_mean_corruption_error

__all__ = ["DECLARES"]

DECLARES = (
    Figure(
        name="mce",
        place=40,
        title="mCE",
        explained="for each condition, this model's errors as a share of the errors that the student made before, then "
        "the mean (Hendrycks & Dietterich 2019). Below 100 % is better than before.",
        unit=SHARE,
        rises=False,
        in_run=lambda run: mean_corruption_error(run.predictions, run.model),
        shown=frozenset({"run", "report"}),
    ),
    Figure(
        name="relative_mce",
        place=41,
        title="Relative mCE",
        explained="the same for what the conditions add to each model's own clean error: how much less it suffers, "
        "whatever its clean accuracy.",
        unit=SHARE,
        rises=False,
        in_run=lambda run: relative_mean_corruption_error(run.predictions, run.model),
        shown=frozenset({"run", "report"}),
    ),
)
