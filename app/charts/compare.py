"""Several runs laid over one another, and their results in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.backend.metrics import thin
from app.charts.curves import X
from app.charts.frame import SYMBOLS, Look, arm, blank, legend_below
from app.charts.line_ends import End, name_ends
from app.look.palette import LIGHT
from bird_backend.measures.figures import FIGURES, columns, read_figure

__all__ = ["ComparedRun", "results_table", "run_curves"]

_AROUND = 120
"""Pixels of title, legend and axis."""
_COLOURS = LIGHT.runs + LIGHT.more_runs


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run as compared: its short name, its own arm, the metrics so far, and its summary once done."""

    name: str
    arm: str
    """The method's name, `model` for a run that trains a single network."""
    state: str
    metrics: pd.DataFrame
    summary: dict[str, Any] | None


def run_curves(
    runs: Sequence[ComparedRun],
    *,
    kind: str,
    column: str,
    title: str,
    baselines: bool = True,
    x: X = "step",
    height: int = 320,
) -> go.Figure:
    """`column` of the rows of `kind`: a colour a run, solid for its method and dotted for its baseline."""
    y = "Accuracy" if "accuracy" in column else "CKA" if column == "cka" else ""
    lines = len(runs) * (1 + baselines)
    figure = blank(title, height=height + 22 * (lines // 4), x=x.capitalize(), y=y, showlegend=True)
    figure.update_layout(legend=legend_below())
    ends, values = [], []
    for index, run in enumerate(runs):
        look = Look(colour=_COLOURS[index % len(_COLOURS)], symbol=("circle", *SYMBOLS)[index % (1 + len(SYMBOLS))])
        for name in dict.fromkeys(["fine-tuning", run.arm] if baselines else [run.arm]):
            rows = _rows(run.metrics, kind, name, column)
            if rows.empty:
                continue
            axis = "epoch" if x == "epoch" and "epoch" in rows and rows["epoch"].notna().all() else "step"
            rows = thin(rows.sort_values("step"))
            figure.add_scatter(
                x=rows[axis],
                y=rows[column],
                mode="lines+markers",
                name=(label := f"{run.name}, {arm(name).label}"),
                legendgroup=label,
                line=replace(look, dash="solid" if name == run.arm else "dot").line(2),
                marker=look.marker(6),
                cliponaxis=False,
                hovertemplate="%{y:.1%}" if "accuracy" in column else "%{y:.3f}",
            )
            x_last, y_last = float(rows[axis].iloc[-1]), float(rows[column].iloc[-1])
            ends.append(End(label=label, group=label, x=x_last, y=y_last, colour=look.colour))
            values.append(rows[column])
    if not ends:
        return figure
    every = pd.concat(values)
    low = min(0.0, float(every.min())) if y == "CKA" else float(every.min())
    return name_ends(figure, ends, low=low, high=float(every.max()), room=height - _AROUND)


def results_table(runs: Sequence[ComparedRun]) -> pd.DataFrame:
    """One row a run and network, a column a figure, as far as they are known."""
    rows = []
    for run in runs:
        summary = run.summary or {}
        for model in summary.get("figures") or [None]:
            found = {
                FIGURES[name].heading: None if model is None else read_figure(summary, model, name)
                for name in columns("comparison")
            }
            rows.append(
                {
                    "Run": run.name,
                    "Model": "not measured" if model is None else arm(model).label,
                    "State": run.state,
                    **{heading: None if interval is None else interval.value for heading, interval in found.items()},
                    "n": summary.get("n_test"),
                }
            )
    return pd.DataFrame(rows)


def _rows(metrics: pd.DataFrame, kind: str, name: str, column: str) -> pd.DataFrame:
    if column not in metrics or "type" not in metrics:
        return pd.DataFrame()
    return metrics[(metrics["type"] == kind) & (metrics["arm"] == name) & metrics[column].notna()]
