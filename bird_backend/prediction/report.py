"""A predictor in JSON, and as rows of text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bird_backend.measures import Interval, ends, rounded
from bird_backend.prediction.columns import OUTCOMES, PAIR, label
from bird_backend.prediction.predictor import Predictor

__all__ = ["as_dict", "coefficient_rows", "heading", "model_rows", "remarks"]


def as_dict(predictor: Predictor, predictions: pd.DataFrame | None = None) -> dict[str, Any]:
    """All of it for JSON; `predictions` are what it says of pairs not run."""
    ceiling = predictor.ceiling
    return {
        "data": predictor.data,
        "outcome": predictor.outcome,
        "pairs": len(predictor.pairs),
        "teachers": predictor.teachers,
        "students": predictor.students,
        "intercept": float(predictor.line.coefficients[0]),
        "coefficients": [
            {
                "attribute": one.name,
                "raw": one.raw.as_dict(),
                "standardised": one.standardised.as_dict(),
                "share_of_r2": one.share.as_dict(),
            }
            for one in predictor.coefficients
        ],
        "models": [
            {
                "name": model.name,
                "columns": list(model.columns),
                "penalty": model.penalty,
                "r2_in_sample": model.in_sample.as_dict(),
                "r2_new_teacher": None if model.new_teacher is None else model.new_teacher.as_dict(),
                "r2_new_student": None if model.new_student is None else model.new_student.as_dict(),
            }
            for model in predictor.models
        ],
        "noise_ceiling": None if ceiling is None else {"r2": ceiling.share.as_dict(), "noise": ceiling.noise},
        "notes": list(predictor.notes),
        "fitted": _records(predictor.pairs),
        "predictions": [] if predictions is None else _records(predictions),
    }


def heading(predictor: Predictor) -> str:
    """What was fitted on what, in one line."""
    where = f"{predictor.data}: " if predictor.data else ""
    seeds = predictor.pairs["seeds"]
    each = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    return (
        f"{where}{OUTCOMES[predictor.outcome].label} of {len(predictor.pairs)} pairs"
        f" ({_counted(predictor.teachers, 'teacher')}, {_counted(predictor.students, 'student')},"
        f" {each} {'seed' if each == '1' else 'seeds'} each)"
    )


def model_rows(predictor: Predictor) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Header and rows: every model's R² with its interval."""
    header = ("R², 95 % over teachers", "in-sample", "new teacher", "new student")
    rows = [
        (model.label, *(_r2(found) for found in (model.in_sample, model.new_teacher, model.new_student)))
        for model in predictor.models
    ]
    return header, rows


def coefficient_rows(predictor: Predictor) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Header and rows: every attribute's coefficient, standardised and raw, and its share of R²."""
    header = ("Attribute", "standardised", "raw", "its share of R²")
    rows = [
        (
            label(one.name),
            _bracketed(one.standardised, sign="+"),
            _bracketed(one.raw, sign="+"),
            _bracketed(one.share),
        )
        for one in predictor.coefficients
    ]
    return header, rows


def remarks(predictor: Predictor) -> list[str]:
    """What belongs under the tables, in whole sentences."""
    said = []
    if predictor.ceiling is None:
        said.append("One seed a pair: how much of the variance is noise can't be said.")
    else:
        share = predictor.ceiling.share
        said.append(
            f"At most {_r2(share)} of the variance between pairs is there to be explained: one run of a pair lies"
            f" {rounded(100 * predictor.ceiling.noise, 1)} points (standard deviation) from its mean."
        )
    if any(model.new_teacher is None for model in predictor.models):
        said.append("– stands where leaving a teacher out leaves too little to fit on.")
    if predictor.students == 1:
        said.append("There is one student, so nothing is known of others.")
    return [*said, *predictor.notes]


def _r2(found: Interval | None) -> str:
    return "–" if found is None else _bracketed(found)


def _bracketed(found: Interval, *, sign: str = "") -> str:
    return f"{rounded(found.value, 2, sign=sign)} ({ends(found, 2, factor=1, sign=sign)})"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    records = table.to_dict("records")
    return [
        {str(name): _plain(value) for name, value in sorted(record.items(), key=lambda item: _order(str(item[0])))}
        for record in records
    ]


def _order(name: str) -> tuple[int, str]:
    return (PAIR.index(name), "") if name in PAIR else (len(PAIR), name)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
