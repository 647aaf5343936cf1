"""A teacher's scores in words: a number as people read it, its interval, and its place."""

from __future__ import annotations

import pandas as pd

from app.findings.teachers import Score
from bird_backend.measures import rounded
from bird_backend.measures.attributes import ATTRIBUTES

__all__ = ["interval_words", "option_words", "place_words", "written"]


def written(name: str, value: float) -> str:
    """A score as people read it: in percent where it is a share."""
    attribute = ATTRIBUTES[name]
    if attribute.share:
        return f"{rounded(100 * value, attribute.digits)} %"
    return f"{value:,.0f}" if attribute.digits == 0 else rounded(value, attribute.digits)


def interval_words(name: str, score: Score) -> str:
    """A score's 95 % interval; nothing where it has none."""
    return f"{written(name, score.low)} to {written(name, score.high)}" if score.bounded else ""


def place_words(table: pd.DataFrame, row: str, by: str) -> str:
    """Where a row stands by one score, such as `2nd`; rows that are equal share a place."""
    places = table[by].rank(ascending=False, method="min").to_dict()
    return "not measured" if pd.isna(places[row]) else _ordinal(int(places[row]))


def option_words(option: str) -> str:
    """An option of usefulness: what is taken over changed images, and over features."""
    reduce, _, aggregate = option.partition("_")
    return (
        f"{_REDUCED.get(reduce, reduce)}, {_AGGREGATED.get(aggregate, aggregate)}" if aggregate else option or "usual"
    )


_REDUCED = {"min": "worst change", "mean": "mean change", "clean": "unchanged"}
_AGGREGATED = {"mean": "mean feature", "max": "best feature", "probe_weighted": "probe-weighted"}


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
