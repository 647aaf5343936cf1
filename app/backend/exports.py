"""What a run wrote as files to take along."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.runs import reading
from bird_backend.runs.store import Run

__all__ = ["METRICS_FILES", "metrics_file"]

METRICS_FILES: Mapping[str, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
"""The formats that metrics are had in, and what browsers call them."""


def metrics_file(run: Run, suffix: str) -> bytes:
    """Every row of a run's metrics as it was recorded, whole and unthinned, in a format of `METRICS_FILES`."""
    try:
        sealed = run.directory.sealed_metrics
        if sealed.exists():
            rows = pd.read_parquet(sealed)
        else:
            rows = pd.DataFrame(reading.MetricsTail(run.directory.metrics).read())
    except (OSError, ValueError) as error:
        raise InputError(f"The metrics of run {run.id} can't be read: {error}.") from error
    return rows.to_csv(index=False).encode() if suffix == "csv" else rows.to_parquet(index=False)
