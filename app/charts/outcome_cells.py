"""What transfers through each pair of layers gained, and what scores say of it, as the cells of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from app.backend.layer_lab import Outcome
from app.charts.layer_cells import Cell, Cells
from app.words.intervals import explained, points, verdict
from app.words.teachers import written
from bird_backend.measures import rounded
from bird_backend.measures.attributes import ATTRIBUTES

__all__ = ["gain_table", "outcome_cells", "outcome_words", "score_cells"]

Pair = tuple[str, str]


def gain_table(outcomes: Mapping[Pair, Outcome], guiding: Sequence[str], guided: Sequence[str]) -> pd.DataFrame:
    """A row a teacher layer, a column a student layer: the gain over fine-tuning, a share, missing where unknown."""
    table = pd.DataFrame(np.nan, index=list(guiding), columns=list(guided))
    for (row, column), outcome in outcomes.items():
        if outcome.gain is not None and row in table.index and column in table.columns:
            table.loc[row, column] = outcome.gain.value
    return table


def outcome_cells(outcomes: Mapping[Pair, Outcome], guiding: Sequence[str], guided: Sequence[str]) -> Cells:
    """Gains through neutral at none; bold is what is beyond noise by itself."""
    table = gain_table(outcomes, guiding, guided)
    values = np.abs(table.to_numpy(dtype=float))
    most = max(float(np.nanmax(values)) if np.isfinite(values).any() else 0.0, 0.01)
    cells = [[_gain(outcomes.get((row, column)), most) for column in guided] for row in guiding]
    ends = (f"{rounded(-100 * most, 1)} points", f"{rounded(100 * most, 1, sign='+')}")
    return Cells(
        title="Gain over fine-tuning, points of robust accuracy",
        foot="95 % intervals",
        cells=cells,
        numbers=100 * table,
        scale="diverging",
        ends=ends,
    )


def outcome_words(outcome: Outcome | None) -> str:
    """What came of one pair, in a sentence's words."""
    if outcome is None:
        return "no transfer through this pair yet"
    if outcome.gain is not None:
        seeds = f"{len(outcome.seeds)} seed{'s' if len(outcome.seeds) > 1 else ''}"
        coming = f", {outcome.coming} more on the way" if outcome.coming else ""
        told = explained(outcome.gain) if outcome.gain.estimated else "without an interval"
        return f"gain {points(outcome.gain)} points, {verdict(outcome.gain)}; {told}, {seeds}{coming}"
    if outcome.coming:
        return f"{outcome.coming} run{'s' if outcome.coming > 1 else ''} on the way"
    if outcome.done:
        return "done, but no fine-tuning with its seed and budget to hold it against yet"
    return "its run ended without a result"


def score_cells(table: pd.DataFrame, name: str, guiding: Sequence[str], guided: Sequence[str]) -> Cells:
    """One score of the teacher's layers for the student's: `table` has the columns of `prediction.wide`."""
    attribute = ATTRIBUTES[name]
    values = (
        table.pivot_table(index="teacher_layer", columns="student_layer", values=name)
        if name in table and table[name].notna().any()
        else pd.DataFrame()
    ).reindex(index=list(guiding), columns=list(guided))
    known = values.to_numpy(dtype=float)
    low, high = (float(end) for end in (np.nanmin(known), np.nanmax(known))) if np.isfinite(known).any() else (0.0, 1.0)
    width = high - low if high > low else 1.0

    def cell(value: float) -> Cell:
        if not np.isfinite(value):
            return Cell(text="–", words=f"{attribute.title.lower()} not scored")
        said = written(name, value)
        return Cell(text=said, level=(value - low) / width, words=f"{attribute.title.lower()} {said}")

    return Cells(
        title=attribute.title,
        foot="scored before any transfer",
        cells=[[cell(float(value)) for value in row] for row in known],
        numbers=values,
        ends=(written(name, low), written(name, high)),
    )


def _gain(outcome: Outcome | None, most: float) -> Cell:
    words = outcome_words(outcome)
    if outcome is None or outcome.gain is None:
        coming = outcome is not None and outcome.coming
        return Cell(text="…" if coming else "!" if outcome is not None and outcome.failed else "–", words=words)
    gain = outcome.gain
    return Cell(
        text=rounded(100 * gain.value, 1, sign="+"),
        under=f"± {rounded(100 * gain.half, 1)}" if gain.bounded else "",
        level=0.5 + gain.value / (2 * most),
        words=words,
        strong=gain.beyond_noise,
    )
