"""What was known of each pair of layers before, against what its transfer gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.backend.layer_lab import Outcome
from app.charts.frame import blank, legend_below
from app.look.palette import LIGHT

__all__ = ["outcome_rows", "outcome_scatter"]

ARROW = " → "


def outcome_rows(values: pd.DataFrame, outcomes: Mapping[tuple[str, str], Outcome]) -> pd.DataFrame:
    """A row a pair with both: its layers, `value`, and `gain` with the ends of its interval in points."""
    rows = []
    for (row, column), outcome in outcomes.items():
        if outcome.gain is None or row not in values.index or column not in values.columns:
            continue
        value, gain = float(values[column].to_dict()[row]), outcome.gain
        if np.isfinite(value):
            low, high = ((100 * end if np.isfinite(end) else np.nan) for end in (gain.low, gain.high))
            rows.append((row, column, value, 100 * gain.value, low, high, len(outcome.seeds)))
    columns = ["teacher_layer", "student_layer", "value", "gain", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def outcome_scatter(rows: pd.DataFrame, title: str, chosen: tuple[str, str], *, height: int = 360) -> go.Figure:
    """A point a pair, with its gain's interval; the chosen one is a diamond. Points' ids are `teacher → student`."""
    figure = blank(
        f"Gain against {title[0].lower()}{title[1:]}" if not title.startswith("CKA") else f"Gain against {title}",
        height=height,
        x=title,
        y="Gain over fine-tuning, points",
        hovermode="closest",
        showlegend=True,
        legend=legend_below(),
    )
    figure.update_yaxes(zeroline=True, zerolinewidth=1)
    is_chosen = (rows["teacher_layer"] == chosen[0]) & (rows["student_layer"] == chosen[1])
    groups = (
        ("Pair of layers", ~is_chosen, 8, LIGHT.student, "circle"),
        ("Chosen", is_chosen, 13, LIGHT.text, "diamond"),
    )
    for name, which, size, colour, symbol in groups:
        own = rows[which]
        if own.empty:
            continue
        figure.add_scatter(
            x=own["value"],
            y=own["gain"],
            ids=own["teacher_layer"] + ARROW + own["student_layer"],
            text=own["teacher_layer"] + ARROW + own["student_layer"],
            mode="markers",
            name=name,
            marker={"color": colour, "size": size, "symbol": symbol, "opacity": 0.85},
            error_y={
                "type": "data",
                "array": (own["high"] - own["gain"]).fillna(0),
                "arrayminus": (own["gain"] - own["low"]).fillna(0),
                "color": colour,
                "thickness": 1,
                "width": 0,
            },
            hovertemplate="%{text}<br>" + title + " %{x:.3~g}<br>gain %{y:+.1f} points<extra></extra>",
        )
    return figure
