"""Every row of a run's metrics as one table, whole and unthinned: CSV for anyone, Parquet with its types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.runs.directory import write_atomic
from bird_backend.runs.reading import read_metrics
from bird_backend.runs.store import Run

__all__ = ["DECLARES", "METRICS_FILES", "metrics_file", "metrics_of"]

METRICS_FILES: Mapping[str, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
"""The formats that metrics are had in, and what browsers call them."""


def metrics_of(run: Run) -> pd.DataFrame:
    """The rows; an `InputError` where there are none, or they can't be read."""
    try:
        rows = read_metrics(run.directory)
    except (OSError, ValueError) as error:
        raise InputError(f"The metrics of run {run.id} can't be read: {error}.") from error
    if rows.empty:
        raise InputError(f"Run {run.id} has no metrics: nothing was trained in it, or it has not begun.")
    return rows


def metrics_file(run: Run, suffix: str) -> bytes:
    """A file's content in a format of `METRICS_FILES`."""
    rows = metrics_of(run)
    return rows.to_csv(index=False).encode() if suffix == "csv" else rows.to_parquet(index=False)


def _write(run: Run, folder: Path, suffix: str) -> list[str]:
    path = folder / f"{run.id}-metrics.{suffix}"
    write_atomic(path, metrics_file(run, suffix))
    return [str(path)]


DECLARES = (
    Export(
        name="csv",
        place=10,
        title="CSV",
        caption="Every row of its metrics, as text.",
        write=lambda run, folder: _write(run, folder, "csv"),
    ),
    Export(
        name="parquet",
        place=11,
        title="Parquet",
        caption="The same with types, small and quick to read.",
        write=lambda run, folder: _write(run, folder, "parquet"),
    ),
)
