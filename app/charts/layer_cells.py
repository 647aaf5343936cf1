"""A number for every teacher layer with every student layer, as a table's cells: what is printed, said and shaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd

from app.form.layer_levels import stage_of
from app.words.intervals import rounded
from app.words.layers import count_words
from bird_backend.catalog import LayerFacts, ModelFacts

__all__ = ["Cell", "Cells", "cka_cells", "gap_cells", "stages_of", "unknown_cells"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """`text` with a smaller `under` beneath it; `words` say it in a sentence; `level` 0 to 1 shades it, none: blank."""

    text: str
    words: str
    level: float | None = None
    under: str = ""
    strong: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """A row of `cells` a teacher layer, a column a student layer; `ends` are what the scale goes from and to."""

    title: str
    foot: str
    cells: Sequence[Sequence[Cell]]
    numbers: pd.DataFrame
    """The same as a table of numbers, missing where there is none."""
    scale: Literal["viridis", "diverging"] = "viridis"
    ends: tuple[str, str] | None = None


def cka_cells(frame: pd.DataFrame, *, title: str = "CKA of each pair of layers") -> Cells:
    """`frame` is a measured layer map, with its estimator, kernel and n among its `attrs`."""
    values = frame.to_numpy(dtype=float)
    cells = [[_cka(float(value)) for value in row] for row in values]
    return Cells(title=title, foot=_foot(frame), cells=cells, numbers=frame, ends=("CKA 0", "1"))


def gap_cells(before: pd.DataFrame, after: pd.DataFrame) -> Cells:
    """How much CKA rose from one layer map to another of the same layers, through neutral at no change."""
    gap = after - before.reindex(index=after.index, columns=after.columns)
    values = gap.to_numpy(dtype=float)
    most = max(float(np.nanmax(np.abs(values))), 1e-9)
    cells = [
        [
            Cell(
                text=rounded(float(value), 2, sign="+"),
                level=0.5 + float(value) / (2 * most),
                words=f"CKA {rounded(float(value), 3, sign='+')}, from {rounded(float(first), 3)} to"
                f" {rounded(float(last), 3)}",
            )
            for value, first, last in zip(*rows, strict=True)
        ]
        for rows in zip(values, before.to_numpy(dtype=float), after.to_numpy(dtype=float), strict=True)
    ]
    ends = (f"{rounded(-most, 2)} further apart", f"{rounded(most, 2, sign='+')} more alike")
    return Cells(title="CKA after − before", foot=_foot(after), cells=cells, numbers=gap, scale="diverging", ends=ends)


def unknown_cells(guiding: Sequence[str], guided: Sequence[str], *, title: str, words: str) -> Cells:
    """Nothing known of any pair yet, which `words` say; each can be chosen for all that."""
    blank = Cell(text="–", words=words)
    numbers = pd.DataFrame(np.nan, index=list(guiding), columns=list(guided))
    return Cells(title=title, foot=words, cells=[[blank] * len(guided)] * len(guiding), numbers=numbers)


def stages_of(facts: ModelFacts, layers: Sequence[str], *, same: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those layers by stage, in order, each with its shape and the parameters that came in since the one before."""
    known = {layer.name: layer for layer in facts.layers}
    listed = [known.get(name, LayerFacts(name=name, shape=())) for name in layers]
    own: dict[str, int] = {}
    reached = 0
    for layer in listed:
        own[layer.name] = max(0, layer.parameters - reached)
        reached = max(reached, layer.parameters)
    return [
        {
            "name": name,
            "size": count_words(sum(own[layer.name] for layer in members)),
            "layers": [
                {
                    "name": layer.name,
                    "shape": _short_shape(layer.shape),
                    "size": count_words(own[layer.name]),
                    "same": same.get(layer.name, ""),
                }
                for layer in members
            ],
        }
        for name, members in ((name, list(group)) for name, group in groupby(listed, stage_of))
    ]


def _short_shape(shape: tuple[int, ...]) -> str:
    """For the head of a column: `64×8×8`, `64×192`, `64`."""
    return "×".join(map(str, shape))


def _cka(value: float) -> Cell:
    return Cell(text=rounded(value, 2), level=value, words=f"CKA {rounded(value, 3)}")


def _foot(frame: pd.DataFrame) -> str:
    return f"{frame.attrs['estimator']}, {frame.attrs['kernel']} kernel, n = {frame.attrs['n']}"
