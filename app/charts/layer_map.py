"""CKA of every teacher layer with every student layer, as a heatmap with the chosen pair marked."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import blank, scale
from app.look.palette import LIGHT, VIRIDIS

__all__ = ["layer_map"]


def layer_map(frame: pd.DataFrame, chosen: Iterable[tuple[str, str]] = (), *, height: int | None = None) -> go.Figure:
    """`frame` has a row a teacher layer, a column a student layer; `chosen` are (teacher, student) pairs to mark."""
    figure = blank(
        "CKA of each pair of layers",
        height=height or 130 + 32 * len(frame),
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
    rows, columns = list(frame.index), list(frame.columns)
    for teacher, student in chosen:
        if teacher in rows and student in columns:
            row, column = rows.index(teacher), columns.index(student)
            box = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
            figure.add_shape(type="rect", **box, line={"color": "#ffffff", "width": 5})
            figure.add_shape(type="rect", **box, line={"color": "#d55e00", "width": 3})
    return figure
