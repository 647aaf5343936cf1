"""Accuracy on validation images, which are cut from the training data: what a setting may be chosen by."""

from __future__ import annotations

from bird_backend.measures.figures.declaration import SHARE, Figure, InRun, Table
from bird_backend.measures.intervals import Interval

__all__ = ["DECLARES"]


def _recorded(place: int, name: str, title: str, explained: str, shown: frozenset[Table]) -> Figure:
    def in_run(run: InRun) -> Interval | None:
        return run.recorded.get(name)

    return Figure(
        name=name,
        place=place,
        title=title,
        explained=explained,
        unit=SHARE,
        rises=True,
        in_run=in_run,
        of_training=True,
        shown=shown,
    )


DECLARES = (
    _recorded(
        1,
        "validation_robust",
        "Validation, robust",
        "mean accuracy after the last epoch on some validation images, under the seen conditions at strength 3: what "
        "a setting is chosen by.",
        frozenset({"ablation"}),
    ),
    _recorded(
        2,
        "validation",
        "Validation",
        "accuracy on clean validation images after the last epoch.",
        frozenset({"ablation"}),
    ),
    _recorded(
        3,
        "validation_best",
        "Validation, best",
        "the highest that the same was after any epoch.",
        frozenset({"ablation"}),
    ),
)
