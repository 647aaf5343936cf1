"""Where a run stands, in a few numbers, each of its own method unless it says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app import charts
from app.backend import data
from app.words.intervals import explained, percent, rounded
from bird_backend.measures import wilson

__all__ = ["CKA_EXPLAINED", "run_numbers"]

CKA_EXPLAINED = (
    "Centred kernel alignment: how alike two networks see the same images, from 0 (not at all) to 1 (the same up to "
    "rotation and scale)."
)
_QUIET: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off"}


def run_numbers(run: data.Run, metrics: pd.DataFrame) -> None:
    """Draw them: the CKA of both arms, then validation accuracy and speed of the run's own method."""
    own = data.arm_of(run)
    shown = [*_similarities(metrics, own), *_accuracy(metrics, own), *_speed(metrics, own)]
    if shown:
        for column, metric in zip(st.columns(4, gap="small"), shown, strict=False):
            column.metric(border=True, **metric)
    if data.is_active(run) and data.has_baseline(run) and not len(_rows(metrics, "step", "fine-tuning", "task_loss")):
        st.caption(
            f"{charts.arm(own).label} trains first; the baseline, plain fine-tuning with the same seed and batches, "
            "follows."
        )


def _similarities(metrics: pd.DataFrame, own: str) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys((own, "fine-tuning")):
        shots = _rows(metrics, "snapshot", name, "cka")
        if len(shots):
            first, last = shots.iloc[0], shots.iloc[-1]
            yield {
                "label": f"CKA, {charts.arm(name).label}",
                "value": rounded(last["cka"], 3),
                "delta": f"{rounded(last['cka'] - first['cka'], 3, sign='+')} since step {int(first['step'])}",
                "delta_color": "blue" if name == own else "off",
                "delta_arrow": "off",
                "help": f"{CKA_EXPLAINED} Debiased, n={int(last['n'])} probe images; with one side shuffled it would "
                f"be {rounded(last['null'], 3)}.",
            }


def _accuracy(metrics: pd.DataFrame, own: str) -> Iterator[dict[str, Any]]:
    epochs = _rows(metrics, "epoch", own, "validation_accuracy")
    if len(epochs):
        last = epochs.iloc[-1]
        count, accuracy = int(last["n"]), float(last["validation_accuracy"])
        yield {
            "label": "Validation accuracy",
            "value": percent(accuracy),
            "delta": f"{charts.arm(own).label}, epoch {int(last['epoch'])}",
            "help": f"Clean validation images. {explained(wilson(accuracy * count, count))}.",
            **_QUIET,
        }


def _speed(metrics: pd.DataFrame, own: str) -> Iterator[dict[str, Any]]:
    steps = _rows(metrics, "step", own, "images_per_s")
    if len(steps):
        yield {
            "label": "Images per second",
            "value": f"{steps['images_per_s'].tail(20).median():,.0f}",
            "delta": f"{charts.arm(own).label}, last twenty steps",
            "help": "Median of the last twenty steps, the teacher's pass included.",
            **_QUIET,
        }


def _rows(metrics: pd.DataFrame, kind: Literal["step", "epoch", "snapshot"], name: str, column: str) -> pd.DataFrame:
    if "type" not in metrics or column not in metrics:
        return pd.DataFrame()
    rows = metrics[(metrics["type"] == kind) & (metrics["arm"] == name) & metrics[column].notna()]
    return rows.sort_values("step")
