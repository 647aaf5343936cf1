"""Marking runs: what is asked of several at once is done to all of them or to none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from bird_backend.errors import InputError
from bird_backend.runs.marks import add_tags, checked_marks, read_marks, write_marks
from bird_backend.runs.store import Run, RunStore
from bird_backend.runs.table import RunTable

__all__ = ["known_tags", "mark_runs"]


def mark_runs(
    run_ids: Sequence[str],
    *,
    name: str | None = None,
    notes: str | None = None,
    starred: bool | None = None,
    archived: bool | None = None,
    tags: Collection[str] = (),
    without_tags: Collection[str] = (),
) -> list[Run]:
    """Change what is said of these runs, and leave alone what is none; `tags` come to those that they have.

    A name is for one run. An unknown run is an `UnknownNameError`, what can't be said an `InputError`.
    """
    ids = list(dict.fromkeys(run_ids))
    if name and len(ids) > 1:
        raise InputError("A name is for one run at a time.")
    store = RunStore()
    runs = [store.get(run_id) for run_id in ids]
    said = {"name": name, "notes": notes, "starred": starred, "archived": archived}
    changes = {field: value for field, value in said.items() if value is not None}
    wanted = []
    for run in runs:
        marks = replace(read_marks(run.directory), **changes)  # type: ignore[arg-type]
        kept = [tag for tag in marks.tags if tag not in set(without_tags)]
        wanted.append(checked_marks(replace(marks, tags=add_tags(kept, tags))))
    with RunTable().writing() as db:
        for run, marks in zip(runs, wanted, strict=True):
            write_marks(db, run.directory, marks)
    found = store.get_many(ids)
    return [found[run_id] for run_id in ids]


def known_tags() -> dict[str, int]:
    """Every tag, with how many runs have it."""
    with RunTable().reading() as db:
        rows = db.execute(
            "select value, count(*) from marks join runs on runs.id = marks.run,"
            " json_each(marks.document, '$.tags') group by value order by lower(value)"
        ).fetchall()
    return {str(tag): int(count) for tag, count in rows}
