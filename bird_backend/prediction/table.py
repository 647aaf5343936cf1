"""The table a predictor is fitted on: runs of pairs from one file, scores from another, joined by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.measures.attributes import ATTRIBUTES as MEASURED
from bird_backend.prediction.columns import ATTRIBUTES, COMPANIONS, PAIR

__all__ = ["between", "join", "layer_pairs", "name_of", "read_frame", "unrun", "wide"]

_LONG = ("attribute", "value")
_USUAL = {name: attribute.options[0] for name, attribute in MEASURED.items()}


def read_frame(path: Path) -> pd.DataFrame:
    """A table from a `.parquet` or `.csv` file; one that is missing, of another kind or not readable: `InputError`."""
    if path.suffix not in (".parquet", ".csv"):
        raise InputError(f"A table of pairs is a .parquet or a .csv file, not {path.name!r}.")
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # pyarrow and pandas raise many kinds for a file that is not what it says
        raise InputError(f"{path.name} can't be read as a {path.suffix[1:]} table.") from error


def wide(scores: pd.DataFrame, options: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row a pair with a column a score, of a table with a row a score; a wide one is returned as it is.

    `options` says for an attribute which of its options is meant, such as `{"usefulness": "min, mean"}`; without a word
    it is the usual one.
    """
    if not set(_LONG) <= set(scores.columns):
        return scores
    _need(scores, PAIR, "scores")
    wanted = options or {}
    parts = []
    for attribute, rows in scores.groupby("attribute", sort=False):
        if "option" in rows:
            known = list(dict.fromkeys(rows["option"].fillna("")))
            usual = _USUAL.get(str(attribute), "")
            option = wanted.get(str(attribute), usual if usual in known else known[0])
            if option not in known:
                raise InputError(f"{attribute} was not scored with {option!r}; there is {', '.join(map(repr, known))}.")
            rows = rows[rows["option"].fillna("") == option]  # noqa: PLW2901 - the same rows, fewer
        parts.append(rows)
    chosen = pd.concat(parts)
    twice = chosen.duplicated([*PAIR, "attribute"])
    if twice.any():
        first = chosen[twice].iloc[0]
        raise InputError(f"The scores give {first['attribute']} of {name_of(first)} twice.")
    table = chosen.pivot(index=list(PAIR), columns="attribute", values="value").reset_index()
    table.columns.name = None
    return table


def join(pairs: pd.DataFrame, scores: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of `pairs`, one a pair and seed, with the columns of `scores` beside them.

    Where a column `state` or `control` says so, rows that are not done and controls, whose teacher knows nothing, are
    left out: a teacher without any training would widen the range that R² goes by. Scores that no pair was run of are
    left for prediction. A pair without scores is an `InputError` that names it, as is a column that neither table has.
    Where no score is called `cka` the run's own `cka_before` stands for it.
    """
    _need(pairs, PAIR, "pairs")
    for name, wanted in (("state", "done"), ("control", "none")):
        if name in pairs:
            pairs = pairs[pairs[name] == wanted]
    if scores is None:
        return _with_cka(pairs)
    scores = wide(scores)
    _need(scores, PAIR, "scores")
    _once(scores)
    columns = [name for name in (*ATTRIBUTES, *COMPANIONS) if name in scores]
    kept = pairs.drop(columns=[name for name in columns if name in pairs])
    joined = kept.merge(scores[[*PAIR, *columns]], on=list(PAIR), how="left", validate="m:1", indicator=True)
    lost = joined[joined["_merge"] == "left_only"].drop_duplicates(list(PAIR))
    if len(lost):
        of = len(joined.drop_duplicates(list(PAIR)))
        raise InputError(
            f"{len(lost)} of {of} pairs have no scores, such as {name_of(lost.iloc[0])}{_why(lost, scores)}."
        )
    return _with_cka(joined.drop(columns="_merge"))


def unrun(pairs: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The scored pairs that no run is of, one row each."""
    scores = wide(scores)
    _once(scores)
    run = pd.MultiIndex.from_frame(pairs[list(PAIR)])
    return scores[~pd.MultiIndex.from_frame(scores[list(PAIR)]).isin(run)].reset_index(drop=True)


def layer_pairs(table: pd.DataFrame) -> tuple[str, ...]:
    """The layer pairs of a table, each as `GUIDING:GUIDED`, in the table's order."""
    _need(table, PAIR, "pairs")
    pairs = table[["teacher_layer", "student_layer"]].drop_duplicates()
    return tuple(f"{guiding}:{guided}" for guiding, guided in pairs.itertuples(index=False))


def between(table: pd.DataFrame, layers: str) -> pd.DataFrame:
    """The rows of one layer pair, as `layer_pairs` names it. Scores differ with depth for reasons of their own.

    A pair that the table has not is an `UnknownNameError`.
    """
    known = layer_pairs(table)
    if layers not in known:
        raise UnknownNameError("layer pair", layers, known)
    return table[table["teacher_layer"] + ":" + table["student_layer"] == layers]


def name_of(row: pd.Series) -> str:
    """A pair in words: teacher, its layer, student and its layer."""
    teacher, guiding, student, guided = (row[name] for name in PAIR)
    return f"{teacher} {guiding} → {student} {guided}"


def _why(lost: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Which of the pair's names the scores don't have at all, for a person to see what was called otherwise."""
    first = lost.iloc[0]
    unknown = [name for name in PAIR if first[name] not in set(scores[name])]
    if not unknown:
        return ""
    return f": the scores have no {unknown[0].replace('_', ' ')} {first[unknown[0]]!r}"


def _once(scores: pd.DataFrame) -> None:
    twice = scores.duplicated(list(PAIR))
    if twice.any():
        raise InputError(f"The scores have {name_of(scores[twice].iloc[0])} twice.")


def _with_cka(table: pd.DataFrame) -> pd.DataFrame:
    if "cka" in table or "cka_before" not in table:
        return table
    return table.assign(cka=table["cka_before"])


def _need(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"The table of {what} has no column {' and no column '.join(missing)}.")
