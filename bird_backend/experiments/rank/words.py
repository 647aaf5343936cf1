"""A ranking by usefulness, with a sentence for each teacher's layer that says why it is high or low."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from bird_backend.behaviours import Words
from bird_backend.measures import rounded
from bird_backend.measures.attributes import ATTRIBUTES, REDUCE_AND_AGGREGATE, column
from bird_backend.runs.scores import PAIR, widen

__all__ = ["agreement", "rank"]

_FEWEST = 3
"""Different values that can be called high and low among each other."""


def rank(scores: pd.DataFrame, option: str, words: Words) -> list[dict[str, Any]]:
    """Best first by usefulness under `option`, then by complementary knowledge; a row a pair of layers.

    Layers that are equally useful share a rank: usefulness doesn't depend on the guided layer.
    """
    wide, chance = widen(scores, usual=option), widen(scores, part="random", usual=option)
    low, high, random_low, random_high = (
        widen(scores, part=part, usual=option)["usefulness"] for part in ("low", "high", "random_low", "random_high")
    )
    order = wide.assign(place=-wide["usefulness"], then=-wide["complementary_knowledge"]).sort_values(
        ["place", "then"], kind="stable"
    )
    levels = order["usefulness"].drop_duplicates().tolist()
    found = []
    for index in order.index:
        row, beside = wide.loc[index], chance.loc[index]
        better, worse = low[index] > random_high[index], high[index] < random_low[index]
        noise = "" if better else ", which is more" if worse else ", no difference beyond noise"
        found.append(
            {
                **{name: row[name] for name in PAIR},
                "rank": levels.index(row["usefulness"]) + 1,
                "scores": {
                    name: {"value": _number(row[name]), "random": _number(beside[name])}
                    for name in ATTRIBUTES
                    if not math.isnan(row[name])
                },
                "why": _why(row, beside, wide, option, words, noise=noise),
            }
        )
    return found


def agreement(scores: pd.DataFrame, option: str) -> str | None:
    """How far the order of usefulness under `option` is that under the others; none of fewer than three layers."""
    wide = widen(scores, usual=option).drop_duplicates(["teacher", "teacher_layer"])
    if len(wide) < _FEWEST:
        return None
    order = wide["usefulness"].rank()
    # Pearson's of ranks is Spearman's. Of the options that reduce nothing is left of what conditions do.
    others = {
        other: order.corr(wide[column("usefulness", other)].rank())
        for other in REDUCE_AND_AGGREGATE
        if other != option and not other.startswith("clean")
    }
    known = {other: value for other, value in others.items() if math.isfinite(value)}
    if not known:
        return None
    least, most = (choose(known, key=known.__getitem__) for choose in (min, max))
    return (
        f"The order of the {len(wide)} layers by usefulness depends on how it is averaged: beside {_spelt(option)}, the"
        f" other options' rank correlations are from {rounded(known[least], 2)} ({_spelt(least)})"
        f" to {rounded(known[most], 2)} ({_spelt(most)})."
    )


def _spelt(option: str) -> str:
    """`min_probe_weighted` as `min, probe-weighted`."""
    reduce, _, how = option.partition("_")
    return f"{reduce}, {how.replace('_', '-')}"


def _why(row: pd.Series, chance: pd.Series, all_rows: pd.DataFrame, option: str, words: Words, *, noise: str) -> str:
    """ "High: …"."""
    clean_option = column("usefulness", f"clean_{option.partition('_')[2]}")
    useful, clean = row["usefulness"], row[clean_option]
    values = all_rows["usefulness"].drop_duplicates().to_numpy()
    much = clean >= all_rows[clean_option].median()
    less = clean - useful <= (all_rows[clean_option] - all_rows["usefulness"]).median()
    random = f"random weights {rounded(chance['usefulness'], 3)}{noise}"
    says = f"usefulness {rounded(clean, 3)} on clean images, {rounded(useful, 3)} {words.under} ({random})"
    if len(values) >= _FEWEST:
        says = (
            f"{_level(useful, values)}: its features say {'more' if much else 'less'} of the classes than most on clean"
            f" images ({rounded(clean, 3)}) {'and' if much == less else 'but'} lose {'less' if less else 'more'} than"
            f" most {words.under}, to {rounded(useful, 3)} ({random})"
        )
    knows = f"{100 * row['complementary_knowledge']:.1f} % of the images"
    return f"{says[0].upper()}{says[1:]}; its probe gets {knows} right that the student's gets wrong."


def _level(value: float, values: np.ndarray) -> str:
    lower, upper = np.quantile(values, (1 / 3, 2 / 3))
    return "High" if value >= upper else "Low" if value <= lower else "Middling"


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
