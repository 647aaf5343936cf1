"""The scores that a ranking wrote, as tables; torch-free, for pages, studies and predictors.

`scores.parquet` is long: a row a teacher's layer, student's layer, attribute and option. `teacher` and `student` are
networks as `ModelRef.title` has them. `random` is the same score of a random-weights network of the same architecture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bird_backend.errors import InputError
from bird_backend.measures.attributes import ATTRIBUTES, USUAL_USEFULNESS, column
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_arrays

__all__ = ["PAIR", "SCORES", "SCORE_COLUMNS", "ProbeAnswers", "read_answers", "read_ranking", "read_scores", "widen"]

SCORES = "scores.parquet"
ANSWERS = "answers.npz"
RANKING = "ranking.json"
PAIR = ("teacher", "teacher_layer", "student", "student_layer")
"""Columns that say what a score is of."""
SCORE_COLUMNS = (
    *PAIR,
    "attribute",
    "option",
    "value",
    "low",
    "high",
    "n",
    "interval",
    "random",
    "random_low",
    "random_high",
)
"""`low` and `high` are 95 % ends, infinite where there is no interval; `interval` says what they are over."""

_Part = Literal["value", "low", "high", "random", "random_low", "random_high"]


def read_scores(directory: RunDirectory) -> pd.DataFrame | None:
    """The long table of a finished ranking, columns `SCORE_COLUMNS`; none before it is there."""
    path = directory.artifacts / SCORES
    if not path.exists():
        return None
    try:
        return pd.read_parquet(path)[list(SCORE_COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"The file {SCORES} of run {directory.path.name} can't be read: it is damaged.") from error


def read_ranking(directory: RunDirectory) -> list[dict[str, Any]] | None:
    """Every pair of layers, best first: `PAIR`, `rank`, `scores` by attribute, `why`; none before it is there."""
    path = directory.artifacts / RANKING
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The file {RANKING} of run {directory.path.name} can't be read: it is damaged.") from error
    return found if isinstance(found, list) else []


def widen(scores: pd.DataFrame, *, part: _Part = "value", usual: str = USUAL_USEFULNESS) -> pd.DataFrame:
    """One row a (teacher, teacher_layer, student, student_layer), a column a score: what is joined to pairs.

    Columns are `PAIR`, then `measures.attributes.column`'s for every attribute and option, NaN where there is none.
    `usefulness` is that under the option `usual`. `part` is what of each score is shown.
    """
    table = pd.DataFrame({name: pd.Series(dtype=object) for name in PAIR}) if scores.empty else _pivot(scores, part)
    names = [column(name, option) for name, entry in ATTRIBUTES.items() for option in entry.options]
    table = table.reindex(columns=[*PAIR, *names])
    table.insert(len(PAIR), "usefulness", table[column("usefulness", usual)])
    return table.astype(dict.fromkeys(["usefulness", *names], float))


def _pivot(scores: pd.DataFrame, part: str) -> pd.DataFrame:
    named = scores.assign(
        column=[column(a, o) for a, o in zip(scores["attribute"], scores["option"], strict=True)],
    )
    order = named[list(PAIR)].drop_duplicates()
    wide = named.pivot(index=list(PAIR), columns="column", values=part).reset_index()
    wide.columns.name = None
    return order.merge(wide, on=list(PAIR), how="left")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeAnswers:
    """What every layer's probe says of the held-out images, and pictures of those that some teacher knows better.

    `labels` [n]; `images` [n] places in the validation split; `classes` [K] names. `networks`, `layers` [m] and
    `predicted` [m, n] of each probe, the student's (`students` [m] is true) among them. `shown` [p] are columns of
    `predicted`, fewest teachers right first, with `pictures` uint8 [p,T,T,3].
    """

    labels: np.ndarray
    images: np.ndarray
    classes: np.ndarray
    networks: np.ndarray
    layers: np.ndarray
    students: np.ndarray
    predicted: np.ndarray
    shown: np.ndarray
    pictures: np.ndarray

    def of(self, network: str, layer: str, *, student: bool = False) -> np.ndarray:
        """The answers [n] of one probe; an `InputError` where there is none."""
        there = (self.networks == network) & (self.layers == layer) & (self.students == student)
        if not there.any():
            raise InputError(f"There is no probe on layer {layer} of {network}.")
        found: np.ndarray = self.predicted[np.flatnonzero(there)[0]]
        return found

    def known_to(
        self, network: str, layer: str, student: str, student_layer: str, *, alone: bool = False
    ) -> np.ndarray:
        """Columns of images that this layer's probe gets right and the student's wrong; `alone`: no other teacher's."""
        right = self.predicted == self.labels
        found = (self.of(network, layer) == self.labels) & (
            self.of(student, student_layer, student=True) != self.labels
        )
        if alone:
            found &= ~right[~self.students & (self.networks != network)].any(axis=0)
        return np.flatnonzero(found)


def read_answers(directory: RunDirectory) -> ProbeAnswers | None:
    """What the probes of a finished ranking say; none before it is there."""
    fields: Sequence[str] = tuple(ProbeAnswers.__dataclass_fields__)
    return read_arrays(directory, ANSWERS, lambda arrays: ProbeAnswers(**{name: arrays[name] for name in fields}))
