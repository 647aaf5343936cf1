"""The predictor: what a pair's transfer will give, by linear regression on what is known of the pair before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.measures import Interval, rounded
from bird_backend.prediction.ceiling import Ceiling, noise_ceiling
from bird_backend.prediction.columns import ATTRIBUTES, COLUMNS, COMPANIONS, OUTCOMES, PAIR, label
from bird_backend.prediction.linear import LeastSquares, determined
from bird_backend.prediction.resampling import Moments, draws, interval
from bird_backend.prediction.scoring import ModelScore, Rows, held_out, score
from bird_backend.prediction.shapley import shapley, subsets
from bird_backend.prediction.table import name_of

__all__ = ["RIVALS", "Coefficient", "Predictor", "fit", "fit_each"]

RIVALS = ("teacher_robust_accuracy", "cka")
"""What anyone would try first, each alone."""


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """Of one attribute: outcome for one unit more of it, and standard deviations of the one for one of the other.

    `share` is its part of R² in-sample: its Shapley value. The parts of all attributes sum to R².
    """

    name: str
    raw: Interval
    standardised: Interval
    share: Interval


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A regression fitted on the pairs of one student data set, and all there is to say of how far to trust it."""

    data: str
    outcome: str
    pairs: pd.DataFrame
    """One row a pair: its names, `seeds` and `run` (the first seed's), the columns used, the outcome, and `fitted`,
    `residual` and `new_teacher`, what is said of it without its teacher."""
    attributes: tuple[str, ...]
    """What it predicts from."""
    coefficients: tuple[Coefficient, ...]
    models: tuple[ModelScore, ...]
    """The regression on the three attributes first, then the wider ridge, then single rivals."""
    ceiling: Ceiling | None
    notes: tuple[str, ...]
    """What was left out and why, in whole sentences."""
    line: LeastSquares

    @property
    def teachers(self) -> int:
        """How many it was fitted on."""
        return int(self.pairs["teacher"].nunique())

    @property
    def students(self) -> int:
        """How many it was fitted on."""
        return int(self.pairs["student"].nunique())

    def predict(self, scores: pd.DataFrame) -> pd.DataFrame:
        """For each pair of `scores`: `predicted`, `low` and `high` (a 95 % prediction interval), `leverage`, `outside`.

        The interval is for the outcome of one new pair: Student's t with a degree of freedom less than there are
        teachers, over the spread of residuals and the line's own covariance over teachers. `outside` is a sentence
        where the pair lies beyond what the line was fitted on, and empty elsewhere.
        """
        X = _numbers(scores, self.attributes, "scores")
        predicted, leverage = self.line.fitted(X), self.line.leverage(X)
        rows = np.column_stack([np.ones(len(X)), X])
        if self.line.covariance is None:
            half = np.full(len(X), np.inf)
        else:
            unsure = np.einsum("ij,jk,ik->i", rows, self.line.covariance, rows)
            half = _student(self.teachers) * np.sqrt(self.line.noise + unsure)
        return scores[[name for name in PAIR if name in scores]].assign(
            predicted=predicted,
            low=predicted - half,
            high=predicted + half,
            leverage=leverage,
            outside=[self._outside(x, far) for x, far in zip(X, leverage, strict=True)],
        )

    @cached_property
    def _farthest(self) -> float:
        return float(self.line.leverage(self.line.X).max())

    def _outside(self, x: np.ndarray, leverage: float) -> str:
        lows, highs = self.line.X.min(axis=0), self.line.X.max(axis=0)
        said = [
            f"{label(name)} {_write(name, value)} is {'below' if value < low else 'above'} all it was fitted on"
            f" ({_write(name, low)} to {_write(name, high)})"
            for name, value, low, high in zip(self.attributes, x, lows, highs, strict=True)
            if not low <= value <= high
        ]
        if said:
            return f"{'; '.join(said)}."
        if leverage > self._farthest * (1 + 1e-9):
            return (
                "Each score is within what it was fitted on, but no pair had such a combination"
                f" (leverage {leverage:.2f}, at most {self._farthest:.2f} before)."
            )
        return ""


def fit_each(runs: pd.DataFrame, *, outcome: str = "robust_after") -> tuple[Predictor, ...]:
    """A predictor for each student data set of a joined table, in the table's order."""
    if "data" not in runs:
        return (fit(runs, outcome=outcome),)
    found = []
    for data, rows in runs.groupby("data", sort=False):
        try:
            found.append(fit(rows, outcome=outcome))
        except InputError as error:
            raise InputError(f"{data}: {error}") from error
    return tuple(found)


def fit(runs: pd.DataFrame, *, outcome: str = "robust_after") -> Predictor:
    """Fit the regression and its rivals on rows, one a pair and seed, of one student data set.

    Seeds of a pair are averaged to one row. A column that is missing, empty in a row or the same in all, fewer pairs
    than coefficients and a single teacher are an `InputError` of one sentence.
    """
    if outcome not in OUTCOMES:
        raise UnknownNameError("outcome", outcome, OUTCOMES)
    for name in (*PAIR, *ATTRIBUTES, outcome):
        if name not in runs:
            raise InputError(f"The table of pairs has no column {name}.")
    if runs.empty:
        raise InputError("The table of pairs is empty.")
    _numbers(runs, (outcome, *ATTRIBUTES), "pairs")
    pairs = _averaged(runs, outcome)
    teachers = pairs["teacher"].to_numpy(str)
    if len(np.unique(teachers)) < 2:
        raise InputError(f"All {len(pairs)} pairs are of the teacher {teachers[0]}; it takes two at least to compare.")
    if len(pairs) <= len(ATTRIBUTES) + 1:
        raise InputError(f"{len(pairs)} pairs are too few for {len(ATTRIBUTES) + 1} coefficients.")
    for name in (outcome, *ATTRIBUTES):
        if pairs[name].nunique() == 1:
            raise InputError(f"{label(name)} is the same in all {len(pairs)} pairs, so nothing can be learned from it.")
    usable, notes = _usable(pairs)
    y = pairs[outcome].to_numpy(float)
    X = np.column_stack([_column(pairs, name) for name in usable])
    rows = Rows(X=X, y=y, teachers=teachers, students=pairs["student"].to_numpy(str))
    three = rows.of(range(len(ATTRIBUTES)))
    if not determined(three.X):
        raise InputError("The attributes tell the same in all pairs: one follows from the others.")
    line = LeastSquares(three.X, y, teachers)
    models = [score(three, name="attributes", label="The three attributes", columns=ATTRIBUTES)]
    if len(usable) > len(ATTRIBUTES):
        models.append(score(rows, name="wide", label="All scores, ridge", columns=usable, penalised=True))
    models += [
        score(rows.of([usable.index(name)]), name=name, label=f"{label(name)} alone", columns=(name,))
        for name in RIVALS
        if name in usable
    ]
    left_out = held_out(three, teachers)
    return Predictor(
        data=str(runs["data"].iloc[0]) if "data" in runs else "",
        outcome=outcome,
        pairs=pairs.assign(
            fitted=line.fitted(three.X),
            residual=line.residuals,
            new_teacher=np.full(len(y), np.nan) if left_out is None else left_out,
        ),
        attributes=ATTRIBUTES,
        coefficients=_coefficients(line),
        models=tuple(models),
        ceiling=noise_ceiling(runs, outcome) if "seed" in runs else None,
        notes=tuple(notes),
        line=line,
    )


def _averaged(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    columns = [name for name in (outcome, *ATTRIBUTES, *COMPANIONS) if name in runs]
    grouped = runs.groupby(list(PAIR), sort=False)
    pairs = grouped[columns].mean()
    pairs["seeds"] = grouped.size()
    if "run" in runs:
        pairs["run"] = grouped["run"].first()
    return pairs.reset_index()


def _usable(pairs: pd.DataFrame) -> tuple[tuple[str, ...], list[str]]:
    """The attributes and those companions that say something of every pair, and a sentence for each that does not."""
    usable, notes = list(ATTRIBUTES), []
    for name in COMPANIONS:
        if name not in pairs:
            continue
        column = _column(pairs, name)
        if not np.isfinite(column).all():
            notes.append(f"{label(name)} is missing for {int((~np.isfinite(column)).sum())} pairs and is left out.")
        elif not determined(column[:, None]):
            notes.append(f"{label(name)} is the same in all pairs and is left out.")
        else:
            usable.append(name)
    return tuple(usable), notes


def _column(pairs: pd.DataFrame, name: str) -> np.ndarray:
    values: np.ndarray = pairs[name].to_numpy(float)
    if COLUMNS[name].unit != "count":
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(values))


def _numbers(table: pd.DataFrame, columns: tuple[str, ...], what: str) -> np.ndarray:
    """Those columns as numbers [n, p]; a value that is none is an `InputError` that says whose."""
    found = []
    for name in columns:
        if name not in table:
            raise InputError(f"The table of {what} has no column {name}.")
        column = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
        empty = ~np.isfinite(column)
        if empty.any():
            first = table[empty].iloc[0]
            raise InputError(f"{int(empty.sum())} of {len(table)} {what} have no {name}, such as {name_of(first)}.")
        found.append(column)
    return np.column_stack(found)


def _coefficients(line: LeastSquares) -> tuple[Coefficient, ...]:
    codes = np.asarray(np.unique(line.groups, return_inverse=True)[1])
    teachers = int(codes.max()) + 1
    moments, weights = Moments(line.X, line.y, codes), draws(teachers)
    worth = {chosen: moments.r_squared(sorted(chosen), weights) for chosen in subsets(len(ATTRIBUTES))}
    shares = shapley(worth, len(ATTRIBUTES))
    scales = line.X.std(axis=0) / line.y.std()
    found = []
    for index, name in enumerate(ATTRIBUTES):
        value = float(line.coefficients[1 + index])
        half = np.inf
        if line.covariance is not None:
            half = _student(teachers) * float(np.sqrt(line.covariance[1 + index, 1 + index]))
        raw, standardised = (
            Interval(
                value=scale * value,
                low=scale * (value - half),
                high=scale * (value + half),
                n=teachers,
                kind="Student's t, over teachers",
            )
            for scale in (1.0, float(scales[index]))
        )
        share = interval(shares[index], teachers)
        found.append(Coefficient(name=name, raw=raw, standardised=standardised, share=share))
    return tuple(found)


def _student(teachers: int) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415 - a tenth of a second that few pages need

    return float(stdtrit(teachers - 1, 0.975))


def _write(name: str, value: float) -> str:
    return rounded(100 * value, 1) if COLUMNS[name].unit == "percent" else rounded(value, 3)
