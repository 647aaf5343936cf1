"""Several runs laid over one another, and their results in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.backend.metrics import thin
from app.charts.curves import X
from app.charts.frame import arm, blank
from app.look.palette import LIGHT

__all__ = ["Measured", "results_table", "run_curves"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A run as compared: its short name, its own arm, the metrics so far, and its summary once done."""

    name: str
    arm: str
    """The method's name, `model` for a run that trains a single network."""
    state: str
    metrics: pd.DataFrame
    summary: dict[str, Any] | None


def run_curves(
    runs: Sequence[Measured],
    *,
    kind: str,
    column: str,
    title: str,
    baselines: bool = True,
    x: X = "step",
    height: int = 320,
) -> go.Figure:
    """`column` of the rows of `kind`: a colour a run, solid for its method and dotted for its baseline."""
    figure = blank(title, height=height, x=x.capitalize(), showlegend=True)
    if "accuracy" in column:
        figure.update_yaxes(tickformat=".3~p")
    for index, run in enumerate(runs):
        colour = LIGHT.runs[index % len(LIGHT.runs)]
        for name in dict.fromkeys(["fine-tuning", run.arm] if baselines else [run.arm]):
            rows = _rows(run.metrics, kind, name, column)
            if rows.empty:
                continue
            axis = "epoch" if x == "epoch" and "epoch" in rows and rows["epoch"].notna().all() else "step"
            rows = thin(rows.sort_values("step"))
            figure.add_scatter(
                x=rows[axis],
                y=rows[column],
                mode="lines" if kind == "step" else "lines+markers",
                name=f"{run.name}, {arm(name).label}",
                line={"color": colour, "width": 2, "dash": "solid" if name == run.arm else "dot"},
                marker={"size": 5, "color": colour},
                hovertemplate="%{y:.1%}" if "accuracy" in column else "%{y:.3f}",
            )
    return figure


def results_table(runs: Sequence[Measured]) -> pd.DataFrame:
    """One row a run and model: CKA, clean, robust, seen and held-out accuracy, as far as they are known."""
    rows = []
    for run in runs:
        summary = run.summary or {}
        clean = summary.get("clean_accuracy")
        keys = list(clean) if isinstance(clean, dict) else [None]
        for key in keys:
            rows.append(
                {
                    "Run": run.name,
                    "Model": _MODELS.get(key, key) if key else ("Model" if clean is not None else "not measured yet"),
                    "State": run.state,
                    "CKA": _pick(summary.get("cka"), key, "value"),
                    "Clean": _pick(clean, key),
                    "Robust": _pick(summary.get("robust_accuracy"), key),
                    "Seen": _pick(summary.get("seen_accuracy"), key),
                    "Held out": _pick(summary.get("held_out_accuracy"), key),
                    "n": summary.get("n_test"),
                    "Seconds": summary.get("seconds"),
                }
            )
    return pd.DataFrame(rows)


_MODELS = {"before": "Before", "fine-tuning": "Fine-tuning", "after": "After transfer"}


def _pick(value: Any, key: str | None, inner: str | None = None) -> float | None:
    if isinstance(value, dict) and key is not None:
        value = value.get(key)
    if isinstance(value, dict) and inner is not None:
        value = value.get(inner)
    return float(value) if isinstance(value, int | float) else None


def _rows(metrics: pd.DataFrame, kind: str, name: str, column: str) -> pd.DataFrame:
    if column not in metrics or "type" not in metrics:
        return pd.DataFrame()
    return metrics[(metrics["type"] == kind) & (metrics["arm"] == name) & metrics[column].notna()]
