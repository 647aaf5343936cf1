"""Data frames to Plotly figures, in the colours of the light page (see `app.look.palette`). No Streamlit here."""

from app.charts.accuracy import (
    accuracy_bars,
    baseline_of,
    by_condition,
    cells,
    gain,
    mean_rows,
    models_in,
)
from app.charts.compare import ComparedRun, results_table, run_curves
from app.charts.curves import (
    accuracy_curves,
    arms_in,
    cka_curves,
    cka_table,
    epochs_table,
    loss_curves,
    other_parts,
    part_of,
    part_title,
    per_step,
)
from app.charts.frame import arm, numbers
from app.charts.layer_map import layer_map
from app.charts.reliability import reliability, reliability_rows

__all__ = [
    "ComparedRun",
    "accuracy_bars",
    "accuracy_curves",
    "arm",
    "arms_in",
    "baseline_of",
    "by_condition",
    "cells",
    "cka_curves",
    "cka_table",
    "epochs_table",
    "gain",
    "layer_map",
    "loss_curves",
    "mean_rows",
    "models_in",
    "numbers",
    "other_parts",
    "part_of",
    "part_title",
    "per_step",
    "reliability",
    "reliability_rows",
    "results_table",
    "run_curves",
]
