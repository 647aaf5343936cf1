"""`pairs`: a study of teachers × students × layer pairs × seeds, and how such a study is printed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from bird_backend.cli.choices import parse_duration
from bird_backend.cli.options import Home, Json, Settings, Spec
from bird_backend.cli.output import emit
from bird_backend.cli.study_commands import Foreground, Seeds, carry_out, names_in, transfer_in
from bird_backend.durations import exact
from bird_backend.errors import InputError
from bird_backend.runs.directory import write_atomic
from bird_backend.studies import Pairs, Study, network_of, pairs_of, plan_pairs
from bird_backend.studies.pairs import Layers
from bird_backend.studies.pairs_table import PAIR

__all__ = ["pairs", "print_pairs"]

_SHOWN = 20


def pairs(
    spec: Spec,
    teachers: Annotated[str, typer.Option(help="Weights by name, such as a,b; none: the spec's own.")] = "",
    students: Annotated[str, typer.Option(help="The same of students, all for the spec's data.")] = "",
    layers: Annotated[
        str, typer.Option(help="all, depth (as deep in both), or TEACHER:STUDENT pairs such as block1:block2.")
    ] = "all",
    seeds: Seeds = 1,
    random_teachers: Annotated[
        bool, typer.Option("--random-teachers", help="A random-weights teacher for each architecture and pair too.")
    ] = False,
    budget: Annotated[str, typer.Option(help="Of time for all runs, such as 2h; what is left is stopped.")] = "",
    foreground: Foreground = False,
    set_: Settings = None,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Run every pair of teachers, students and layers at every seed; `study STUDY` has the table, a row a pair."""
    plan = plan_pairs(
        transfer_in(spec, set_),
        teachers=[network_of(name) for name in names_in(teachers)],
        students=[network_of(name) for name in names_in(students)],
        layers=_layers(layers),
        seeds=seeds,
        random_teachers=random_teachers,
        budget_seconds=parse_duration(budget) if budget else None,
    )
    return carry_out(plan, foreground=foreground, as_json=json_)


def print_pairs(study: Study, form: str, out: Path | None, *, as_json: bool) -> None:
    """Print a study of pairs or write it to a file; as Parquet and CSV a row a pair and seed, else a row a pair."""
    found = pairs_of(study)
    done = found.done
    if form == "parquet":
        if out is None:
            raise InputError("Parquet is no text: say where it goes with --out FILE.parquet.")
        content = done.to_parquet(index=False)
    elif form == "csv":
        content = done.to_csv(index=False, lineterminator="\n").encode()
    elif form == "markdown":
        content = _markdown(found, everything=out is not None).encode()
    else:
        raise InputError(f"--format of a study of pairs is markdown, csv or parquet, not {form!r}.")
    if out is None:
        emit(_document(found), content.decode().rstrip("\n"), as_json=as_json)
        return
    try:
        write_atomic(out, content)
    except OSError as error:
        raise InputError(f"{out} can't be written: {error.strerror}.") from error
    emit(_document(found), f"{len(done):,} rows in {out}.", as_json=as_json)


def _document(found: Pairs) -> dict[str, object]:
    progress = found.progress
    return {
        "study": found.study.id,
        "title": found.study.title,
        "preset": "pairs",
        "states": dict(progress.states),
        "budget_seconds": found.study.budget_seconds,
        "spent_seconds": progress.spent_seconds,
        "left_seconds": progress.left_seconds,
        "notes": list(found.study.notes),
        "pairs": [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in found.table.astype(object).to_dict("records")
        ],
    }


def _markdown(found: Pairs, *, everything: bool) -> str:
    summary = found.summary()
    shown = summary if everything else summary.head(_SHOWN)
    header = ["teacher", "layer", "student", "layer", "seeds", "gain", "robust", "before", "held out", "clean", "CKA"]
    rows = [_cells(row) for row in shown.to_dict("records")]
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]
    more = [f"- {len(summary) - len(shown)} more pairs are in --format csv."] if len(shown) < len(summary) else []
    notes = [f"- {note}" for note in (_progress(found), *found.study.notes)]
    return "\n".join([f"### {found.study.title}", "", *lines, "", *more, *notes]) + "\n"


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    names = [str(row[name]) for name in (*PAIR, "seeds")]
    shares = [_share(row[name]) for name in ("robust_after", "robust_before", "held_out_after", "clean_after")]
    return [
        *names,
        _points(row["gain"], row["gain_half"]),
        *shares,
        f"{_number(row['cka_before'])} → {_number(row['cka_after'])}",
    ]


def _progress(found: Pairs) -> str:
    progress = found.progress
    states = ", ".join(f"{count} {state}" for state, count in progress.states.items())
    budget = f" of {exact(found.study.budget_seconds)}" if found.study.budget_seconds is not None else ""
    left = f"; about {exact(progress.left_seconds)} left" if progress.open and progress.left_seconds else ""
    return f"Runs: {states}; {exact(progress.spent_seconds)}{budget} spent{left}."


def _points(value: float, half: float | None) -> str:
    if pd.isna(value):
        return "–"
    return f"{100 * value:+.1f}" + ("" if pd.isna(half) else f" ± {100 * float(half or 0):.1f}")


def _share(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.1f}"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def _layers(text: str) -> Layers:
    if text in ("all", "depth"):
        return "all" if text == "all" else "depth"
    found: list[tuple[str, str]] = []
    for name in names_in(text):
        teacher, between, student = name.partition(":")
        if not between or not teacher or not student:
            raise InputError(f"A layer pair is TEACHER:STUDENT, such as block1:block2, not {name!r}.")
        found.append((teacher, student))
    return found
