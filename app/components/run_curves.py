"""A run's curves as it trains: CKA with the teacher, accuracies, and the parts of the loss."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app import charts
from app.backend import data
from app.backend.forks import forked_at
from app.charts.curves import X
from app.charts.fork import with_fork
from app.components.live_chart import Cursor, chart, show_numbers
from bird_backend.experiments import KINDS

__all__ = ["cka_panel", "losses_panel"]


def cka_panel(run: data.Run, metrics: pd.DataFrame, x: X, cursor: Cursor | None) -> None:
    """CKA with the teacher, a line for each arm."""
    chart(
        with_fork(charts.cka_curves(metrics, x), forked_at(run, metrics, x)),
        of=run.id,
        key="cka_chart",
        label="CKA with the teacher against training, a line for each arm: "
        + " and ".join(charts.arm(name).label for name in charts.arms_in(metrics)),
        revision=x,
        numbers=charts.cka_table(metrics),
        cursor=cursor,
    )
    st.caption(
        "Lines with points: debiased CKA of fixed validation images; n and the null are on hover."
        + (
            " Faint line: the CKA of each augmented training batch, which BIRD climbs. Read its slope, not its height."
            if "bird" in charts.arms_in(metrics)
            else ""
        )
    )


def losses_panel(run: data.Run, metrics: pd.DataFrame, x: X, cursor: Cursor | None) -> None:
    """Accuracies on validation images, and the parts of the loss."""
    task = charts.loss_curves(metrics, "task_loss", x)
    part = charts.part_of(metrics) or "representation_loss"
    second = charts.loss_curves(metrics, part, x)
    drawn: tuple[tuple[go.Figure, str, str], ...] = (
        (
            charts.accuracy_curves(metrics, "validation_accuracy", x),
            "validation_chart",
            "Accuracy on clean validation images",
        ),
        (
            charts.accuracy_curves(metrics, "robust_accuracy", x),
            "robust_chart",
            "Robust accuracy on validation images",
        ),
        (task, "task_chart", "Task loss at each step"),
        (second, "representation_chart", f"{charts.part_title(metrics, part)}, at each step"),
    )
    if KINDS[run.kind].recorded:
        others = enumerate(charts.other_parts(metrics))
        more = ((charts.loss_curves(metrics, name, x), f"logged_{place}", name) for place, name in others)
        # What a training of one's own does not say is not missed.
        drawn = tuple(entry for entry in (*drawn, *more) if entry[0].data)
    columns, mark = st.columns(2, gap="medium"), forked_at(run, metrics, x)
    for index, (figure, key, label) in enumerate(drawn):
        if figure is second and not figure.data:
            continue
        with columns[index % 2]:
            chart(with_fork(figure, mark), of=run.id, key=key, label=label, revision=x, cursor=cursor)
    show_numbers(
        charts.epochs_table(metrics), key="epochs_numbers", label="accuracies by epoch", title="Show the accuracies"
    )
    show_numbers(charts.numbers(task, second), key="losses_numbers", label="losses by step", title="Show the losses")
