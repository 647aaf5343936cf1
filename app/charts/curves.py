"""Curves of a run as it trains: CKA, losses and accuracies, each arm of it a line."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from app.backend.metrics import thin
from app.charts.frame import arm, blank, later
from app.look.palette import LIGHT
from bird_backend.transfer import METHODS

__all__ = [
    "X",
    "accuracy_curves",
    "arms_in",
    "cka_curves",
    "cka_table",
    "epochs_table",
    "loss_curves",
    "other_parts",
    "part_of",
    "part_title",
    "per_step",
]

X = Literal["step", "epoch"]
_TITLE = {"step": "Step", "epoch": "Epoch"}
_KNOWN = ("step", "epoch", "t", "task_loss", "cka", "lr", "images_per_s", "n", "robust_n", "null")
"""Columns of steps that have a place of their own, or are no curve."""


def arms_in(metrics: pd.DataFrame) -> list[str]:
    """The arms there are rows of, the baseline first so that the method is drawn on top of it."""
    if "arm" not in metrics:
        return []
    found = [str(name) for name in metrics["arm"].unique()]
    return sorted(found, key=lambda name: (name != "fine-tuning", name))


def cka_curves(metrics: pd.DataFrame, x: X = "step", *, height: int = 320) -> go.Figure:
    """CKA with the teacher: of the probe images for every arm (lines with points), of each batch for BIRD (faint)."""
    figure = blank("CKA with the teacher", height=height, x=_TITLE[x], y="CKA", showlegend=True)
    for name in arms_in(metrics):
        label, look = arm(name).label, arm(name).look
        batch = _rows(metrics, "step", name, "cka")
        if len(batch):
            batch = thin(batch)
            figure.add_scatter(
                x=_x(batch, x, metrics),
                y=batch["cka"],
                mode="lines",
                name=f"{label}, each batch",
                line={"color": LIGHT.student_faint, "width": 1},
                hovertemplate="%{y:.3f}",
            )
        probes = _rows(metrics, "snapshot", name, "cka").sort_values("step")
        if len(probes):
            figure.add_scatter(
                x=_x(probes, x, metrics),
                y=probes["cka"],
                mode="lines+markers",
                name=f"{label}, probes",
                line=look.line(2.5),
                marker=look.marker(6),
                cliponaxis=False,
                customdata=probes[["n", "null"]].to_numpy(),
                hovertemplate="%{y:.3f} (debiased, n=%{customdata[0]:.0f}, null %{customdata[1]:.3f})",
            )
    return figure


def loss_curves(metrics: pd.DataFrame, column: str, x: X = "step", *, height: int = 240) -> go.Figure:
    """A part of the loss, each step: the task's, or one that a method declares."""
    title = "Task loss" if column == "task_loss" else part_title(metrics, column)
    known = column == "task_loss" or column == part_of(metrics)
    figure = blank(title, height=height, x=_TITLE[x], y="Loss" if known else "", showlegend=column == "task_loss")
    for name in arms_in(metrics):
        rows = thin(_rows(metrics, "step", name, column))
        if len(rows):
            label, look = arm(name).label, arm(name).look
            figure.add_scatter(
                x=_x(rows, x, metrics),
                y=rows[column],
                mode="lines",
                name=label,
                line=look.line(1.5),
                hovertemplate="%{y:.3f}",
            )
    return figure


def accuracy_curves(
    metrics: pd.DataFrame,
    column: Literal["validation_accuracy", "robust_accuracy"],
    x: X = "step",
    *,
    height: int = 240,
) -> go.Figure:
    """Accuracy on validation images after each epoch."""
    title = {
        "validation_accuracy": "Validation accuracy, clean images",
        "robust_accuracy": "Robust accuracy on validation images (small estimate)",
    }[column]
    figure = blank(title, height=height, x=_TITLE[x], y="Accuracy", showlegend=column == "validation_accuracy")
    if not len(epochs_table(metrics)):
        return later(figure, "Comes after the first epoch")
    for name in arms_in(metrics):
        rows = _rows(metrics, "epoch", name, column).sort_values("step")
        if len(rows):
            label, look = arm(name).label, arm(name).look
            figure.add_scatter(
                x=rows["step"] if x == "step" else rows["epoch"],
                y=rows[column],
                mode="lines+markers",
                name=label,
                line=look.line(2),
                marker=look.marker(6),
                cliponaxis=False,
                customdata=rows[["n"]].to_numpy(),
                hovertemplate="%{y:.1%} (n=%{customdata[0]:.0f})",
            )
    return figure


def part_of(metrics: pd.DataFrame) -> str | None:
    """The part of the loss beside the task's that these metrics hold, if any."""
    parts = dict.fromkeys(name for method in METHODS.values() for name in method.parts)
    return next((name for name in parts if name in metrics and metrics[name].notna().any()), None)


def other_parts(metrics: pd.DataFrame) -> list[str]:
    """Further numbers of each step, as a training of one's own calls what it logs."""
    if "type" not in metrics:
        return []
    steps = metrics[metrics["type"] == "step"]
    numbers = [str(name) for name in steps.columns if pd.api.types.is_numeric_dtype(steps[name])]
    return [name for name in numbers if name not in _KNOWN and name != part_of(metrics) and steps[name].notna().any()]


def part_title(metrics: pd.DataFrame, column: str) -> str:
    """What a part of the loss is called, and what it is as far as all methods with rows here agree on it."""
    declared = {name: method.parts[column] for name, method in METHODS.items() if column in method.parts}
    here = [declared[name] for name in arms_in(metrics) if name in declared] or [*declared.values()]
    found = {(part.label, part.explained) for part in here}
    label, explained = next(iter(found), (column, ""))
    return f"{label}, {explained}" if len(found) == 1 else label


def cka_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """The probe CKAs as a table: one row a step, one column an arm, and n and the null."""
    if "type" not in metrics:
        return pd.DataFrame()
    rows = metrics[metrics["type"] == "snapshot"]
    if rows.empty:
        return pd.DataFrame()
    table = rows.pivot_table(index="step", columns="arm", values="cka").rename(columns=lambda name: arm(name).label)
    return table.assign(n=rows.groupby("step")["n"].max(), null=rows.groupby("step")["null"].mean()).reset_index()


def epochs_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """The accuracies after each epoch as a table."""
    if "type" not in metrics:
        return pd.DataFrame()
    wanted = ["arm", "epoch", "step", "validation_accuracy", "robust_accuracy", "n"]
    rows = metrics[metrics["type"] == "epoch"]
    return rows[[name for name in wanted if name in rows]].reset_index(drop=True)


def per_step(metrics: pd.DataFrame, x: X) -> float:
    """How far along the axis a step is: 1, or epochs a step; 1 too for a training of one's own that knows no epochs."""
    if x == "step":
        return 1.0
    steps = metrics[(metrics["type"] == "step") & (metrics["step"] > 0)]
    if "epoch" not in steps or steps["epoch"].isna().all():
        return 1.0
    return float((steps["epoch"] / steps["step"]).median())


def _rows(metrics: pd.DataFrame, kind: str, name: str, column: str) -> pd.DataFrame:
    if column not in metrics or "type" not in metrics:
        return metrics.iloc[:0].assign(**{column: []})
    return metrics[(metrics["type"] == kind) & (metrics["arm"] == name) & metrics[column].notna()]


def _x(rows: pd.DataFrame, x: X, metrics: pd.DataFrame) -> pd.Series:
    if x == "step":
        return rows["step"]
    if "epoch" in rows and rows["epoch"].notna().all():
        return rows["epoch"]
    return rows["step"] * per_step(metrics, x)
