"""How long a run took."""

from __future__ import annotations

from bird_backend.measures.figures.declaration import SECONDS, Figure

__all__ = ["DECLARES"]

DECLARES = Figure(
    name="seconds",
    place=90,
    title="Seconds",
    explained="of the whole run, loading and measuring included.",
    unit=SECONDS,
    summary_field="seconds",
    of_training=True,
    shown=frozenset({"study", "ablation", "comparison"}),
)
