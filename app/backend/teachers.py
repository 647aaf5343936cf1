"""The app's door to teachers: what rankings found, tables of pairs that were run, and predictors fitted on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from app.backend.data import Run
from bird_backend import settings
from bird_backend.prediction import Predictor, fit_each, join, read_frame
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.scores import ProbeAnswers, read_answers, read_scores

__all__ = ["PairTable", "ProbeAnswers", "pair_tables", "predictors", "probe_answers", "reasons", "scores"]


def scores(run: Run) -> pd.DataFrame | None:
    """Every score of a finished ranking, a row a score; none before it is there. Do not write to it: it is shared."""
    return _scores(str(run.directory.path)) if run.state == "done" else None


def probe_answers(run: Run) -> ProbeAnswers | None:
    """What the probes of a finished ranking say of the held-out images, with pictures of some."""
    return _answers(str(run.directory.path)) if run.state == "done" else None


def reasons(run: Run) -> dict[tuple[str, str, str], str]:
    """By teacher, its layer and the student's layer the sentence that says why it is high or low."""
    ranking: list[dict[str, Any]] = (run.summary or {}).get("ranking", [])
    return {(entry["teacher"], entry["teacher_layer"], entry["student_layer"]): entry["why"] for entry in ranking}


@lru_cache(maxsize=8)
def _scores(path: str) -> pd.DataFrame | None:
    return read_scores(RunDirectory(Path(path)))


@lru_cache(maxsize=4)
def _answers(path: str) -> ProbeAnswers | None:
    return read_answers(RunDirectory(Path(path)))


@dataclass(frozen=True, kw_only=True)
class PairTable:
    """Pairs that were run, with their scores, as a page names them."""

    name: str
    """In an address."""
    title: str
    path: Path


def pair_tables() -> list[PairTable]:
    """Those that come with the project."""
    return [
        PairTable(
            name=path.stem, title=f"{path.stem.replace('-', ' ').capitalize()}, comes with the project", path=path
        )
        for path in sorted((settings.ASSETS / "studies").glob("*.parquet"))
    ]


def predictors(table: PairTable, outcome: str) -> tuple[Predictor, ...]:
    """One a student data set; a table that can't be used is an `InputError`. Worked out once."""
    return _predictors(table.path, table.path.stat().st_mtime_ns, outcome)


@lru_cache(maxsize=8)
def _predictors(path: Path, _mtime: int, outcome: str) -> tuple[Predictor, ...]:
    return fit_each(join(read_frame(path), None), outcome=outcome)
