"""The app's door to teachers: what rankings found, tables of pairs that were run, and predictors fitted on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app.backend.data import Run, spec_of, submit
from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.experiments import RankSpec, RunSpec, TransferSpec, load_spec
from bird_backend.prediction import PAIR, Predictor, between, fit_each, join, layer_pairs, read_frame
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.scores import ProbeAnswers, read_answers, read_ranking, read_scores
from bird_backend.runs.store import RunStore
from bird_backend.studies import Study, list_studies, pairs_of, rankings_of, read_study, runs_of

__all__ = [
    "PairTable",
    "ProbeAnswers",
    "ask_for_scores",
    "layers_of",
    "pair_tables",
    "predictors",
    "probe_answers",
    "rankings_for",
    "reasons",
    "scores",
]


def scores(run: Run) -> pd.DataFrame | None:
    """Every score of a finished ranking, a row a score; none before it is there. Do not write to it: it is shared."""
    return _scores(str(run.directory.path)) if run.state == "done" else None


def probe_answers(run: Run) -> ProbeAnswers | None:
    """What the probes of a finished ranking say of the held-out images, with pictures of some."""
    return _answers(str(run.directory.path)) if run.state == "done" else None


def reasons(run: Run) -> dict[tuple[str, str, str], str]:
    """By teacher, its layer and the student's layer the sentence that says why it is high or low."""
    ranking = (read_ranking(run.directory) if run.state == "done" else None) or []
    return {(entry["teacher"], entry["teacher_layer"], entry["student_layer"]): entry["why"] for entry in ranking}


@lru_cache(maxsize=8)
def _scores(path: str) -> pd.DataFrame | None:
    return read_scores(RunDirectory(Path(path)))


@lru_cache(maxsize=4)
def _answers(path: str) -> ProbeAnswers | None:
    return read_answers(RunDirectory(Path(path)))


@dataclass(frozen=True, kw_only=True)
class PairTable:
    """Pairs that were run, as a page names them: a file that has their scores too, or a study of this home."""

    name: str
    """In an address."""
    title: str
    path: Path | None = None
    study: Study | None = None


def pair_tables() -> list[PairTable]:
    """Those that come with the project, then this home's studies of pairs, newest first."""
    paths = sorted((settings.ASSETS / "studies").glob("*.parquet"))
    shipped = [PairTable(name=path.stem, title=_title(path), path=path) for path in paths]
    own = [study for study in list_studies() if study.preset == "pairs"]
    return [*shipped, *(PairTable(name=study.id, title=study.title, study=study) for study in own)]


def predictors(table: PairTable, outcome: str, layers: str = "") -> tuple[Predictor, ...]:
    """One a student data set, of all layer pairs or of those between `layers` alone. Worked out once for what is there.

    A table that can't be used is an `InputError`.
    """
    return _fitted(_source(table), outcome, layers)


def layers_of(table: PairTable) -> tuple[str, ...]:
    """The layer pairs that a table has, each as `GUIDING:GUIDED`; a table that can't be used is an `InputError`."""
    return layer_pairs(_joined(_source(table)))


_Source = tuple[str, tuple[str, ...], tuple[str, ...]] | tuple[Path, int]
"""A study with its runs that are done and its rankings' folders, or a file and when it was written."""


def _source(table: PairTable) -> _Source:
    if table.study is None:
        path = table.path or Path()
        return path, path.stat().st_mtime_ns
    done = tuple(run.id for run in runs_of(table.study).values() if run.state == "done")
    return table.study.id, done, tuple(str(run.directory.path) for run in rankings_for(table.study))


def rankings_for(study: Study) -> list[Run]:
    """The finished rankings of this home on a study's images and for its behaviour, newest first."""
    base = load_spec(study.base)
    return [run for run in RunStore().list(kind="rank", states=("done",)) if _alike(spec_of(run), base)]


def _alike(ranking: RunSpec, base: RunSpec) -> bool:
    if not isinstance(ranking, RankSpec) or not isinstance(base, TransferSpec):
        return False
    same = (ranking.data, ranking.image_size) == (base.data, base.image_size)
    return same and ranking.behaviour.name == base.behaviour.name


def ask_for_scores(study: Study) -> list[Run]:
    """Rankings of a study's teachers for each of its students, at its own layers; those that were asked for stay."""
    return [submit(spec.model_dump(mode="json"), reuse=True) for spec in rankings_of(study)]


def _title(path: Path) -> str:
    return f"{path.stem.replace('-', ' ').capitalize()}, comes with the project"


@lru_cache(maxsize=8)
def _joined(source: _Source) -> pd.DataFrame:
    """Runs of pairs with their scores beside them. Do not write to it: it is shared."""
    if len(source) == 2:
        return join(read_frame(source[0]), None)
    study_id, _, rankings = source
    tables = [table for path in rankings if (table := _scores(path)) is not None]
    if not tables:
        raise InputError("Nobody has scored this study's teachers yet.")
    scores = pd.concat(tables).drop_duplicates([*PAIR, "attribute", "option"])
    return join(pairs_of(read_study(study_id)).table, scores)


@lru_cache(maxsize=32)
def _fitted(source: _Source, outcome: str, layers: str) -> tuple[Predictor, ...]:
    joined = _joined(source)
    return fit_each(between(joined, layers) if layers else joined, outcome=outcome)
