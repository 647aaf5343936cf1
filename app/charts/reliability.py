"""Reliability: how often each model is right among predictions of like confidence (Guo 2017)."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts.accuracy import models_in
from app.charts.frame import arm, blank
from app.look.palette import LIGHT
from bird_backend import measures
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.measures import Group, Predictions

__all__ = ["reliability", "reliability_rows"]

_FEWEST = 0.005
"""Bins with a smaller share of the predictions are noise, so they are left out of the drawing, not of the table."""


def reliability_rows(predictions: Predictions, group: Group = "robust") -> pd.DataFrame:
    """One row a model and bin of confidence that is not empty: mean confidence, share right, share of predictions."""
    parts = []
    for model in models_in(predictions):
        table = measures.reliability(predictions, model, group)
        if table is not None:
            frame = pd.DataFrame(table, columns=["confidence", "right", "share"]).dropna()
            parts.append(frame.assign(model=model))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def reliability(predictions: Predictions, rows: pd.DataFrame, *, height: int = 300) -> go.Figure:
    """A line a model over the changed images; below the diagonal it is surer than it should be."""
    words = BEHAVIOURS.find(predictions.behaviour).words
    figure = blank(
        f"Confidence and being right, {words.changed} images",
        height=height,
        x="Confidence",
        y="Share right",
        showlegend=True,
        hovermode="closest",
    )
    figure.update_xaxes(tickformat=".0%", range=[0, 1]).update_yaxes(tickformat=".0%", range=[0, 1])
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="As sure as right",
        line={"color": LIGHT.axis, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    for model in models_in(predictions):
        mine = rows[(rows["model"] == model) & (rows["share"] >= _FEWEST)] if len(rows) else rows
        if len(mine) == 0:
            continue
        label, look = arm(model).label, arm(model).look
        figure.add_scatter(
            x=mine["confidence"],
            y=mine["right"],
            mode="lines+markers",
            name=label,
            line=look.line(2),
            cliponaxis=False,
            marker=look.marker(6),
            customdata=mine[["share"]].to_numpy(),
            hovertemplate=f"{label}: %{{x:.0%}} sure, %{{y:.0%}} right<br>"
            "%{customdata[0]:.1%} of its predictions<extra></extra>",
        )
    return figure
