"""CKA with the teacher at the layers that a run draws, on validation images: as training began, and as it ended."""

from __future__ import annotations

from bird_backend.measures.figures.declaration import CKA, Figure, InRun, Table
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
        unit=CKA,
        in_run=in_run,
        of_training=True,
        shown=shown,
    )


_TABLES: frozenset[Table] = frozenset({"report", "study", "ablation", "comparison"})

DECLARES = (
    _recorded(
        60,
        "cka_before",
        "CKA before",
        "with the teacher, at the run's own step 0: of the weights that its training began with.",
        _TABLES,
    ),
    _recorded(61, "cka_after", "CKA after", "with the teacher, after training.", _TABLES),
    _recorded(
        62,
        "cka_null",
        "CKA by chance",
        "as after, with one side's images shuffled: what no likeness at all gives.",
        frozenset({"report"}),
    ),
)
