"""Deleting runs with a way back: a run's directory moves into the home's trash, its row along with it.

`row.json` in the directory is what undoing puts into the table again. What has lain there for `KEPT_DAYS` is removed
when something else is thrown away, or when a worker starts.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.runs.directory import RunDirectory, write_json
from bird_backend.runs.marks import index_marks, read_marks
from bird_backend.runs.run import FINAL
from bird_backend.runs.store import RunStore
from bird_backend.runs.table import RunTable

__all__ = ["KEPT_DAYS", "Trashed", "delete_runs", "empty_trash", "list_trash", "restore_runs"]

KEPT_DAYS = 30
_ROW = "row.json"
_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """A deleted run. `deleted` is in seconds since the epoch."""

    id: str
    title: str
    deleted: float
    bytes: int


def delete_runs(run_ids: Sequence[str]) -> list[Trashed]:
    """Move these runs into the trash, all or none; one that is queued or under way is an `InputError`.

    A study that has one of them goes on without it.
    """
    ids = list(dict.fromkeys(run_ids))
    store = RunStore()
    for run_id in ids:
        store.get(run_id)  # an unknown one, with the closest
    empty_trash(older_than_seconds=KEPT_DAYS * _DAY)
    now = time.time()
    moved: list[tuple[Path, Path]] = []
    try:
        with RunTable().writing() as db:
            rows = [_finished_row(db, run_id) for run_id in ids]
            for row in rows:
                there, here = settings.runs_dir() / row["id"], _trash() / row["id"]
                if there.is_dir():
                    write_json(there / _ROW, {"deleted": now, "row": row})
                    _move(there, here)
                    moved.append((here, there))
                db.execute("delete from runs where id = ?", (row["id"],))
                db.execute("delete from marks where run = ?", (row["id"],))
    except BaseException:
        for here, there in moved:
            here.rename(there)
        raise
    return [found for run_id in ids if (found := _trashed(_trash() / run_id)) is not None]


def restore_runs(run_ids: Sequence[str]) -> list[str]:
    """Undo the deletion of these runs, all or none; one that is not in the trash is an `UnknownNameError`."""
    there = {found.id for found in list_trash()}
    for run_id in run_ids:
        if run_id not in there:
            raise UnknownNameError("run in the trash", run_id, sorted(there, reverse=True)[:20])
    moved: list[tuple[Path, Path]] = []
    try:
        with RunTable().writing() as db:
            for run_id in dict.fromkeys(run_ids):
                here, back = _trash() / run_id, settings.runs_dir() / run_id
                row = json.loads((here / _ROW).read_text("utf-8"))["row"]
                columns = {column["name"] for column in db.execute("pragma table_info(runs)")}
                row = {name: value for name, value in row.items() if name in columns}
                names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
                # There already where a deletion was cut off between the two.
                db.execute(f"insert or ignore into runs ({names}) values ({marks})", row)
                _move(here, back)
                moved.append((back, here))
                index_marks(db, [RunDirectory(back)])
    except BaseException:
        for back, here in moved:
            back.rename(here)
        raise
    for back, _ in moved:
        (back / _ROW).unlink(missing_ok=True)
    return list(dict.fromkeys(run_ids))


def list_trash() -> list[Trashed]:
    """What can be had back, the latest first."""
    found = (_trashed(path) for path in _trash().glob("*"))
    return sorted((each for each in found if each is not None), key=lambda each: each.deleted, reverse=True)


def empty_trash(*, older_than_seconds: float = 0.0) -> list[Trashed]:
    """Remove for good what has been deleted so long ago."""
    ended = time.time() - older_than_seconds
    gone = [found for found in list_trash() if found.deleted <= ended]
    for found in gone:
        shutil.rmtree(_trash() / found.id, ignore_errors=True)
    return gone


def _trash() -> Path:
    return settings.home() / "trash"


def _finished_row(db: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    row = db.execute("select * from runs where id = ?", (run_id,)).fetchone()
    if row is None:
        raise InputError(f"The run {run_id} was deleted at the same moment.")
    if row["state"] not in FINAL:
        raise InputError(f"Run {run_id} is {row['state']}; stop it before it is deleted.")
    return dict(row)


def _move(path: Path, to: Path) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        path.rename(to)
    except OSError as error:
        raise InputError(f"The directory {path} can't be moved to {to.parent}: {error.strerror or error}.") from error


def _trashed(path: Path) -> Trashed | None:
    try:
        kept = json.loads((path / _ROW).read_text("utf-8"))
        title = read_marks(RunDirectory(path)).name or str(kept["row"]["title"])
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return Trashed(id=path.name, title=title, deleted=float(kept["deleted"]), bytes=size)
    except (OSError, ValueError, KeyError, TypeError):
        return None
