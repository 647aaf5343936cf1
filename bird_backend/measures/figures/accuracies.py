"""Accuracy on clean test images and over groups of conditions."""

from __future__ import annotations

from bird_backend.measures.figures.declaration import EVERY_TABLE, SHARE, Figure, Table
from bird_backend.measures.robustness import Group, by_group

__all__ = ["DECLARES"]


def _accuracy(place: int, group: Group, title: str, explained: str, shown: frozenset[Table] = EVERY_TABLE) -> Figure:
    return Figure(
        name=group,
        place=place,
        title=title,
        explained=explained,
        unit=SHARE,
        rises=True,
        group=group,
        in_run=lambda run: by_group(run.predictions, run.model, group),
        shown=shown,
    )


DECLARES = (
    _accuracy(10, "clean", "Clean", "accuracy on the test images as they are."),
    _accuracy(
        11,
        "robust",
        "Robust",
        "mean accuracy over every condition measured and its strengths 1 to 5; clean is not in it.",
    ),
    _accuracy(12, "seen", "Seen", "the same over the conditions that a robust teacher may have trained on."),
    _accuracy(
        13, "held_out", "Held out", "the same over the conditions that no model here ever trains on: the honest test."
    ),
    _accuracy(
        14,
        "pooled",
        "Pooled",
        "what the reference implementation of BIRD calls robust accuracy: held-out conditions at strengths 0 to 5, so "
        "that a sixth of it is clean accuracy. Here to be compared with published numbers.",
        EVERY_TABLE - {"comparison"},
    ),
)
