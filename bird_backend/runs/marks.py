"""What people say of a run: a name of their own, a star, tags, notes, and whether it is put away in the archive.

They lie in the run's directory, `marks.json`, and beside the run's row for lists to be filtered by; the file is what
counts, so that a table made anew from the directories has them again (`index_marks`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bird_backend.errors import InputError
from bird_backend.runs.directory import RunDirectory, write_json

__all__ = ["NOTHING_SAID", "Marks", "add_tags", "checked_marks", "index_marks", "marks_of", "read_marks", "write_marks"]

_FILE = "marks.json"
_LONGEST = {"name": 120, "notes": 20_000}
_TAG, _TAGS = 40, 20


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Of one run; a run that nobody has marked has those of the defaults."""

    name: str = ""
    """Stands in place of its title, where it is not empty."""
    starred: bool = False
    archived: bool = False
    """Out of the lists, and whole."""
    tags: tuple[str, ...] = ()
    notes: str = ""
    """Markdown."""


NOTHING_SAID = Marks()


def checked_marks(marks: Marks) -> Marks:
    """The marks without spaces around them and with each tag once, in order; an `InputError` for what can't be one."""
    tags = add_tags((), marks.tags)
    found = replace(marks, name=" ".join(marks.name.split()), notes=marks.notes.strip(), tags=tags)
    for field, most in _LONGEST.items():
        if len(getattr(found, field)) > most:
            raise InputError(f"A run's {field} has up to {most:,} letters, not {len(getattr(found, field)):,}.")
    if len(tags) > _TAGS:
        raise InputError(f"A run has up to {_TAGS} tags, not {len(tags)}.")
    return found


def add_tags(there: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    """Tags with some more, each once and in the alphabet's order; an `InputError` for one that can't be."""
    cleaned = [" ".join(tag.split()) for tag in more]
    for tag in cleaned:
        if not tag or "," in tag or len(tag) > _TAG:
            raise InputError(f"A tag is up to {_TAG} letters without a comma, not {tag[:60]!r}.")
    return tuple(sorted(dict.fromkeys((*there, *cleaned)), key=str.casefold))


def read_marks(directory: RunDirectory) -> Marks:
    """Those in a run's directory; the defaults where there are none, or where their file is damaged."""
    try:
        return marks_of((directory.path / _FILE).read_text("utf-8"))
    except OSError:
        return NOTHING_SAID


def marks_of(document: str | None) -> Marks:
    """Marks from their JSON; what can't be read of them is as if it had not been said."""
    try:
        said = json.loads(document or "{}")
    except (ValueError, RecursionError):
        return NOTHING_SAID
    if not isinstance(said, dict):
        return NOTHING_SAID
    fields: dict[str, Any] = {
        name: value for name, value in said.items() if type(value) is type(getattr(NOTHING_SAID, name, None))
    }
    tags = said.get("tags")
    if isinstance(tags, list):
        fields["tags"] = tuple(tag for tag in tags if isinstance(tag, str))
    return Marks(**fields)


def write_marks(db: sqlite3.Connection, directory: RunDirectory, marks: Marks) -> None:
    """Keep them: the file first, then beside the row, inside a transaction."""
    if not directory.path.is_dir():
        raise InputError(f"The directory of run {directory.path.name} is gone, so nothing can be kept in it.")
    write_json(directory.path / _FILE, asdict(marks))
    _index(db, directory.path.name, marks)


def index_marks(db: sqlite3.Connection, directories: Iterable[RunDirectory]) -> None:
    """Put beside the rows what lies in the directories of these runs, inside a transaction."""
    for directory in directories:
        _index(db, directory.path.name, read_marks(directory))


def _index(db: sqlite3.Connection, run_id: str, marks: Marks) -> None:
    if marks == NOTHING_SAID:
        db.execute("delete from marks where run = ?", (run_id,))
        return
    db.execute(
        "insert into marks (run, starred, archived, document) values (?, ?, ?, ?) on conflict (run) do update set"
        " starred = excluded.starred, archived = excluded.archived, document = excluded.document",
        (run_id, marks.starred, marks.archived, json.dumps(asdict(marks), ensure_ascii=False)),
    )
