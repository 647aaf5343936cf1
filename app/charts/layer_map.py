"""CKA of every teacher layer with every student layer, as a heatmap."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import blank, scale
from app.look.palette import LIGHT, VIRIDIS

__all__ = ["layer_map"]


def layer_map(frame: pd.DataFrame) -> go.Figure:
    """`frame` has a row a teacher layer, a column a student layer."""
    figure = blank(
        "CKA of each pair of layers",
        height=130 + 32 * len(frame),
        x="Student's guided layer",
        y="Teacher's guiding layer",
        hovermode="closest",
    )
    figure.add_heatmap(
        z=frame.to_numpy(dtype=float),
        x=list(frame.columns),
        y=list(frame.index),
        zmin=min(0.0, float(frame.min().min())),
        zmax=1,
        colorscale=scale(VIRIDIS),
        xgap=2,
        ygap=2,
        texttemplate="%{z:.2f}" if frame.size <= 150 else None,
        hovertemplate="teacher %{y} · student %{x}<br>CKA %{z:.3f}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0, "tickfont": {"color": LIGHT.muted, "size": 11}, "title": ""},
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont_color=LIGHT.teacher_text, type="category")
    figure.update_xaxes(showgrid=False, tickfont_color=LIGHT.student, type="category")
    return figure
