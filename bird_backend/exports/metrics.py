"""Every row of a run's metrics as one table, whole and unthinned: CSV for anyone, Parquet with its types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.runs.directory import write_atomic
from bird_backend.runs.reading import read_metrics
from bird_backend.runs.store import Run

__all__ = ["DECLARES", "has_metrics", "metrics_of"]


def metrics_of(run: Run) -> pd.DataFrame:
    """The rows; an `InputError` where there are none, or they can't be read."""
    try:
        rows = read_metrics(run.directory)
    except (OSError, ValueError) as error:
        raise InputError(f"The metrics of run {run.id} can't be read: {error}.") from error
    if rows.empty:
        raise InputError(f"Run {run.id} has no metrics: nothing was trained in it, or it has not begun.")
    return rows


def has_metrics(run: Run) -> bool:
    """Whether there are rows, by the size of the files."""
    files = (run.directory.metrics, run.directory.sealed_metrics)
    return any(path.is_file() and path.stat().st_size > 0 for path in files)


def _write(run: Run, folder: Path, suffix: str) -> list[str]:
    path, rows = folder / f"{run.id}-metrics.{suffix}", metrics_of(run)
    write_atomic(path, rows.to_csv(index=False).encode() if suffix == "csv" else rows.to_parquet(index=False))
    return [str(path)]


DECLARES = (
    Export(
        name="csv",
        place=10,
        title="CSV",
        caption="Every row of its metrics, as text.",
        write=lambda run, folder: _write(run, folder, "csv"),
        has=has_metrics,
        download="metrics.csv",
    ),
    Export(
        name="parquet",
        place=11,
        title="Parquet",
        caption="The same with types, small and quick to read.",
        write=lambda run, folder: _write(run, folder, "parquet"),
        has=has_metrics,
        download="metrics.parquet",
    ),
)
