"""How well a model does: R² in-sample, on teachers it was not fitted on, and on students it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bird_backend.measures import Interval
from bird_backend.prediction.linear import LeastSquares, determined
from bird_backend.prediction.resampling import Moments, draws, interval, sums
from bird_backend.prediction.ridge import choose_penalty, ridge

__all__ = ["ModelScore", "Rows", "held_out", "score"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Pairs as arrays: columns X [n, p], outcome y [n], and for each row which teacher and student it is of [n]."""

    X: np.ndarray
    y: np.ndarray
    teachers: np.ndarray
    students: np.ndarray

    def of(self, columns: Sequence[int]) -> Rows:
        """The same rows with some of the columns."""
        return Rows(X=self.X[:, list(columns)], y=self.y, teachers=self.teachers, students=self.students)


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelScore:
    """A model and its R², every interval over teachers; none where a fold can't be fitted or there is one student.

    R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)² over all rows, ȳ their mean. Out of fold, each ŷ comes from a model fitted without
    any row of that teacher (or student), and the rows are pooled; so it can be below zero, where the mean of all
    predicts better. In-sample the model is fitted anew on every resample; out of fold the predictions are kept and
    teachers are drawn to be scored on, for a fold without some of its teachers would be a smaller study.
    """

    name: str
    label: str
    columns: tuple[str, ...]
    penalty: float | None
    """Of a ridge fitted on all rows; none for least squares."""
    in_sample: Interval
    new_teacher: Interval | None
    new_student: Interval | None


def score(rows: Rows, *, name: str, label: str, columns: tuple[str, ...], penalised: bool = False) -> ModelScore:
    """Fit a model on all rows and without each teacher and student; the columns of `rows` are `columns`."""
    codes = _codes(rows.teachers)
    teachers = int(codes.max()) + 1
    weights = draws(teachers)
    penalty = choose_penalty(rows.X, rows.y, rows.teachers) if penalised else None
    fitted = Moments(rows.X, rows.y, codes).r_squared(range(rows.X.shape[1]), weights, penalty=penalty or 0.0)

    def out_of_fold(groups: np.ndarray) -> Interval | None:
        predicted = held_out(rows, groups, penalised=penalised)
        if predicted is None:
            return None
        y = rows.y - rows.y.mean()
        left = weights @ sums((rows.y - predicted) ** 2, codes, teachers)
        count = weights @ sums(np.ones_like(y), codes, teachers)
        total = weights @ sums(y**2, codes, teachers) - (weights @ sums(y, codes, teachers)) ** 2 / count
        with np.errstate(divide="ignore", invalid="ignore"):
            return interval(np.where(total > 1e-12, 1 - left / total, np.nan), teachers)

    return ModelScore(
        name=name,
        label=label,
        columns=columns,
        penalty=penalty,
        in_sample=interval(fitted, teachers),
        new_teacher=out_of_fold(rows.teachers),
        new_student=out_of_fold(rows.students) if len(np.unique(rows.students)) > 1 else None,
    )


def held_out(rows: Rows, groups: np.ndarray, *, penalised: bool = False) -> np.ndarray | None:
    """For each row what a model says that was fitted without its group [n]; none where a fold has no one answer.

    A ridge chooses its penalty anew in every fold, from the rows of that fold alone.
    """
    predicted = np.empty_like(rows.y)
    for group in np.unique(groups):
        held = groups == group
        X, y, teachers = rows.X[~held], rows.y[~held], rows.teachers[~held]
        if penalised:
            if len(np.unique(teachers)) < 2:
                return None
            found = ridge(X, y, choose_penalty(X, y, teachers))
            predicted[held] = found[0] + rows.X[held] @ found[1:]
        elif determined(X):
            predicted[held] = LeastSquares(X, y, teachers).fitted(rows.X[held])
        else:
            return None
    return predicted


def _codes(names: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(names, return_inverse=True)[1])
