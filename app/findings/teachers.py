"""Every teacher and layer as scored for one guided layer of a student: tables, ranks, scores with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.prediction import PAIR, wide

__all__ = ["Score", "Scored"]

_COLUMNS = (*PAIR, "attribute", "option", "value", "low", "high", "n", "random")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One score of one teacher's layer; `random` is what the same network with random weights has."""

    value: float
    low: float
    high: float
    n: int
    random: float | None

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Long scores (a row a score) of one student's guided layer. A row of its tables is named `teacher · layer`."""

    long: pd.DataFrame

    @classmethod
    def of(cls, scores: pd.DataFrame, *, student_layer: str | None = None) -> Scored:
        """Those of a guided layer, the first where none is named; a table that is none is an `InputError`."""
        missing = [name for name in _COLUMNS if name not in scores]
        if missing or scores.empty:
            raise InputError(f"The scores have no {', no '.join(missing)}." if missing else "The scores are empty.")
        chosen = scores["student_layer"].iloc[0] if student_layer is None else student_layer
        own = scores[scores["student_layer"] == chosen]
        if own.empty:
            raise InputError(f"There are no scores for the student's layer {chosen!r}.")
        names = own["teacher"].astype(str) + _BETWEEN + own["teacher_layer"].astype(str)
        return cls(long=own.assign(option=own["option"].fillna(""), row=names))

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Those that were scored of any row."""
        there = set(self.long.loc[self.long["value"].notna(), "attribute"])
        return tuple(name for name in ATTRIBUTES if name in there)

    def options(self, attribute: str) -> tuple[str, ...]:
        """The ways in which an attribute was scored, its usual one first."""
        own = set(self.long.loc[self.long["attribute"] == attribute, "option"])
        return tuple(option for option in ATTRIBUTES[attribute].options if option in own)

    def table(self, options: Mapping[str, str] | None = None) -> pd.DataFrame:
        """A row a teacher's layer, a column a score, indexed by the row's name."""
        table = wide(self.long, options)
        return table.set_index(table["teacher"].astype(str) + _BETWEEN + table["teacher_layer"].astype(str))

    def ranks(self, attribute: str) -> pd.DataFrame:
        """Place of each row (1 the highest) under each option of an attribute, a column an option."""
        return pd.DataFrame(
            {
                option: self.table({attribute: option})[attribute].rank(ascending=False, method="min")
                for option in self.options(attribute)
            }
        )

    def score(self, row: str, attribute: str, option: str | None = None) -> Score | None:
        """One score with its interval; none where it was not measured."""
        asked = self.options(attribute)[0] if option is None else option
        own = self.long
        found = own[(own["row"] == row) & (own["attribute"] == attribute) & (own["option"] == asked)]
        if found.empty or pd.isna(found["value"].iloc[0]):
            return None
        value, low, high, n, random = (found[name].iloc[0] for name in ("value", "low", "high", "n", "random"))
        chance = None if pd.isna(random) else float(random)
        return Score(value=float(value), low=float(low), high=float(high), n=int(n), random=chance)


_BETWEEN = " · "
