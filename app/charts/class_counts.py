"""How many images of each class are in each split: bars, and the table behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import blank
from app.look.palette import LIGHT

__all__ = ["SPLITS", "class_bars", "class_table"]

SPLITS: Mapping[str, str] = {"train": "Training", "validation": "Validation", "test": "Testing"}
_COLOURS: Mapping[str, str] = {"train": LIGHT.student, "validation": LIGHT.student_faint, "test": LIGHT.baseline}
_MOST_NAMED = 40
"""So many classes have a bar each with its name beside it; more stand side by side, and say their names on hover."""


def class_bars(classes: Sequence[str], counts: Mapping[str, Sequence[int]]) -> go.Figure:
    """A stacked bar a class, in the order of the classes."""
    named = len(classes) <= _MOST_NAMED
    figure = blank("Images of each class", height=70 + 24 * len(classes) if named else 320)
    figure.update_layout(
        barmode="stack", bargap=0.28 if named else 0.1, hovermode="y unified" if named else "x unified"
    )
    figure.update_layout(legend={"traceorder": "normal"})
    labels = [_short(name) for name in classes]
    places = list(range(len(classes)))
    for split, title in SPLITS.items():
        values = list(counts[split])
        across = {"x": values, "y": places} if named else {"x": places, "y": values}
        figure.add_bar(
            name=title,
            orientation="h" if named else "v",
            marker={"color": _COLOURS[split], "line": {"width": 0}},
            customdata=labels,
            hovertemplate="%{x:,}" if named else "%{y:,}",
            **across,
        )
    ticks = {"tickvals": places, "ticktext": labels}
    if named:
        figure.update_xaxes(title_text="Images", rangemode="tozero", showline=False)
        figure.update_yaxes(**ticks, autorange="reversed", showgrid=False)
    else:
        figure.update_yaxes(title_text="Images", rangemode="tozero")
        figure.update_xaxes(title_text=f"{len(classes)} classes", **ticks, showticklabels=False, showgrid=False)
    return figure


def class_table(classes: Sequence[str], counts: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """A row a class."""
    table = pd.DataFrame({"Class": list(classes), **{title: counts[split] for split, title in SPLITS.items()}})
    return table.assign(All=table[list(SPLITS.values())].sum(axis=1))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


_LONGEST = 26
