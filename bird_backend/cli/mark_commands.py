"""`mark`, `delete`, `restore` and `trash`: what people say of runs, and getting rid of them with a way back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bird_backend.cli.choices import parse_duration
from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit, table
from bird_backend.runs.marking import mark_runs
from bird_backend.runs.trash import KEPT_DAYS, Trashed, delete_runs, empty_trash, list_trash, restore_runs

__all__ = ["delete", "mark", "restore", "trash"]

_Runs = Annotated[list[str], typer.Argument(metavar="RUN...")]


def mark(
    runs: _Runs,
    name: Annotated[str | None, typer.Option(help="Stands in place of its title; empty, that comes back.")] = None,
    notes: Annotated[str | None, typer.Option(help="In Markdown, in place of what was noted.")] = None,
    star: Annotated[bool | None, typer.Option("--star/--no-star", help="Give it a star, or take it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag it is to have; may be given again.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="One it is not to have any more.")] = None,
    archive: Annotated[
        bool | None, typer.Option("--archive/--no-archive", help="Out of the app's lists, and back.")
    ] = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """Name runs, give them stars, tags and notes, or put them away; without options it says what they have."""
    marked = mark_runs(
        runs, name=name, notes=notes, starred=star, archived=archive, tags=tag or (), without_tags=untag or ()
    )
    rows = [
        (
            run.id,
            "*" if run.marks.starred else "",
            "archived" if run.marks.archived else "",
            ", ".join(run.marks.tags),
            run.title,
        )
        for run in marked
    ]
    documents = [{"run": run.id, "title": run.title, "marks": asdict(run.marks)} for run in marked]
    emit(documents, table(rows, ("run", "", "", "tags", "")), as_json=json_)


def delete(runs: _Runs, json_: Json = False, home: Home = None) -> None:
    """Move finished runs to the trash; `restore` has them back."""
    gone = delete_runs(runs)
    text = (
        f"{_total(gone)} in the trash, for {KEPT_DAYS} days: `restore {gone[0].id}` has it back." if gone else "Gone."
    )
    emit([asdict(each) for each in gone], text, as_json=json_)


def restore(runs: _Runs, json_: Json = False, home: Home = None) -> None:
    """Have deleted runs back."""
    back = restore_runs(runs)
    emit({"restored": back}, "\n".join(f"{run_id} is back." for run_id in back), as_json=json_)


def trash(
    free: Annotated[
        str | None, typer.Option(help="Remove for good what was deleted so long ago, such as 24h, or all.")
    ] = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """List deleted runs, or free their room for good."""
    if free is not None:
        gone = empty_trash(older_than_seconds=0.0 if free == "all" else parse_duration(free))
        emit({"freed": [asdict(each) for each in gone]}, f"{_total(gone)} freed.", as_json=json_)
        return
    there = list_trash()
    rows = [(each.id, f"{each.bytes / 1e6:,.1f} MB", each.title) for each in there]
    text = f"{table(rows, ('run', '', ''))}\n{_total(there)} in all." if there else "The trash is empty."
    emit([asdict(each) for each in there], text, as_json=json_)


def _total(runs: list[Trashed]) -> str:
    count = f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
    return f"{count}, {sum(each.bytes for each in runs) / 1e6:,.1f} MB"
