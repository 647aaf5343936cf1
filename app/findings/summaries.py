"""Reading a run's summary: its figures by the names of `FIGURES`, of the run's own network unless another is named."""

from __future__ import annotations

from app.backend import data
from bird_backend.measures import Interval
from bird_backend.measures.figures import read_figure

__all__ = ["figure_of"]


def figure_of(run: data.Run, name: str, model: str | None = None) -> Interval | None:
    """A figure of a network of the run; none where there is none."""
    summary = run.summary or {}
    own = summary.get("after")
    return read_figure(summary, model or (own if isinstance(own, str) else ""), name)
