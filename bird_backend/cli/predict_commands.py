"""`predict`: how far the scores of a pair foretell what its transfer gives, and what they foretell of pairs not run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit, table
from bird_backend.errors import InputError
from bird_backend.measures import rounded
from bird_backend.prediction import (
    OUTCOMES,
    Predictor,
    as_dict,
    between,
    coefficient_rows,
    fit_each,
    heading,
    join,
    model_rows,
    name_of,
    read_frame,
    remarks,
    unrun,
)
from bird_backend.runs.scores import read_scores
from bird_backend.runs.store import RunStore
from bird_backend.studies import pairs_of, read_study

__all__ = ["predict"]


def predict(
    pairs: Annotated[str, typer.Argument(help="A study of pairs, or a .parquet or .csv with a row a pair and seed.")],
    scores: Annotated[
        str | None,
        typer.Argument(help="A ranking's run, or a .parquet or .csv with scores; none where PAIRS has them."),
    ] = None,
    outcome: Annotated[str, typer.Option(help=f"{' or '.join(OUTCOMES)}.")] = "robust_after",
    layers: Annotated[str, typer.Option(help="One layer pair alone, such as block1:block2; none: all together.")] = "",
    json_: Json = False,
    home: Home = None,
) -> None:
    """Regress what transfers gave on the scores of their pairs, and predict the scored pairs that were not run."""
    runs = read_frame(Path(pairs)) if _is_file(pairs) else pairs_of(read_study(pairs)).table
    scored = None if scores is None else read_frame(Path(scores)) if _is_file(scores) else _scores_of(scores)
    joined = join(runs, scored)
    if layers:
        joined, scored = between(joined, layers), None if scored is None else between(scored, layers)
    left = None if scored is None else unrun(runs, scored)
    predictors = fit_each(joined, outcome=outcome)
    documents, texts = [], []
    for predictor in predictors:
        foretold = _foretold(predictor, left)
        documents.append(as_dict(predictor, foretold))
        texts.append(_described(predictor, foretold))
    emit(documents, "\n\n".join(texts), as_json=json_)


def _is_file(name: str) -> bool:
    return bool(Path(name).suffix) or Path(name).exists()


def _scores_of(run_id: str) -> pd.DataFrame:
    found = read_scores(RunStore().get(run_id).directory)
    if found is None:
        raise InputError(f"The run {run_id} has no scores; a finished ranking has.")
    return found


def _foretold(predictor: Predictor, left: pd.DataFrame | None) -> pd.DataFrame | None:
    """What it says of the pairs of its own students that were not run, best first."""
    if left is None:
        return None
    own = left[left["student"].isin(predictor.pairs["student"])]
    return predictor.predict(own).sort_values("predicted", ascending=False) if len(own) else None


def _described(predictor: Predictor, foretold: pd.DataFrame | None) -> str:
    header, rows = model_rows(predictor)
    parts = [heading(predictor), table(rows, header)]
    header, rows = coefficient_rows(predictor)
    parts.append(table(rows, header))
    parts.append("\n".join(remarks(predictor)))
    if foretold is not None:
        lines = [
            (name_of(row), rounded(100 * row["predicted"], 1), _ends(row), row["outside"])
            for _, row in foretold.head(_SHOWN).iterrows()
        ]
        title = OUTCOMES[predictor.outcome].label
        parts.append(table(lines, (f"Not run, best of {len(foretold)}", title, "95 % of new runs", "")))
    return "\n\n".join(parts)


def _ends(row: pd.Series) -> str:
    return f"{rounded(100 * row['low'], 1)} to {rounded(100 * row['high'], 1)}"


_SHOWN = 10
