"""Every score of a ranking as one table, a row a score with its interval: what `predict` reads again."""

from __future__ import annotations

from pathlib import Path

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.runs.directory import write_atomic
from bird_backend.runs.scores import SCORES, read_scores
from bird_backend.runs.store import Run

__all__ = ["DECLARES"]


def _has(run: Run) -> bool:
    return (run.directory.artifacts / SCORES).is_file()


def _write(run: Run, folder: Path, suffix: str) -> list[str]:
    scores = read_scores(run.directory)
    if scores is None:
        raise InputError(f"Run {run.id} has no scores; a finished ranking has.")
    path = folder / f"{run.id}-scores.{suffix}"
    csv = suffix == "csv"
    write_atomic(
        path, scores.to_csv(index=False, lineterminator="\n").encode() if csv else scores.to_parquet(index=False)
    )
    return [str(path)]


DECLARES = (
    Export(
        name="scores-csv",
        place=12,
        title="Scores as CSV",
        caption="Of a ranking: a row a score of a pair of layers, with its interval and that of random weights.",
        write=lambda run, folder: _write(run, folder, "csv"),
        has=_has,
        download="scores.csv",
    ),
    Export(
        name="scores-parquet",
        place=13,
        title="Scores as Parquet",
        caption="The same with types; `predict` reads both.",
        write=lambda run, folder: _write(run, folder, "parquet"),
        has=_has,
        download="scores.parquet",
    ),
)
