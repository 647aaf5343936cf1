"""Where a curve stops being another run's and goes on as this one's."""

from __future__ import annotations

import plotly.graph_objects as go

from app.look.palette import LIGHT

__all__ = ["with_fork"]


def with_fork(figure: go.Figure, at: float | None) -> go.Figure:
    """The figure with a line across it at a place of its axis; as it is without one, or with nothing on it."""
    if at is None or not figure.data:
        return figure
    words = {"text": "forked here", "font": {"size": 11, "color": LIGHT.muted}, "xanchor": "left", "xshift": 3}
    return figure.add_vline(
        at,
        line={"color": LIGHT.muted, "width": 1, "dash": "dot"},
        annotation={**words, "showarrow": False},
        annotation_position="bottom right",
    )
