"""The SQLite file of runs and studies: its schema, and short transactions whose troubles are said in a sentence.

A rollback journal rather than WAL: the table is small, several processes write it, and WAL with several checkpointing
connections has a corruption race in the SQLite that current distributions ship. Readers take no write lock, so they
wait for no one but a writer in the instant of its commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bird_backend import settings
from bird_backend.errors import BirdError, InputError, RunError

__all__ = ["VERSION", "RunTable"]

VERSION = 2
"""Of the schema below. A home of another version is left as it is."""
_SCHEMA = """
create table runs (
    id text primary key,
    kind text not null,
    title text not null,
    state text not null,
    identity text not null,
    family text not null,
    depends_on text not null,
    wanted text not null,
    created real not null,
    started real,
    finished real,
    device text,
    pid integer,
    host text,
    pid_since text,
    attempts integer not null default 0,
    cancel_requested real,
    reason text,
    summary text,
    opened real,
    laid_out integer not null default 0
);
create index runs_by_state on runs (state, created);
create index runs_by_identity on runs (identity, state);
create index runs_by_family on runs (family);
create index runs_by_kind on runs (kind, created);
create table studies (
    id text primary key,
    created real not null,
    document text not null
);
create index studies_by_time on studies (created);
"""

_ADDED = """
create table if not exists marks (
    run text primary key,
    starred integer not null,
    archived integer not null,
    document text not null
) without rowid;
create index if not exists runs_by_time on runs (created);
"""
"""What came to version 2 later, and an earlier program of that version passes over."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM)
_DENIED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


class RunTable:
    """The file under a home. Cheap to make: it is opened for each transaction."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings.home() / "runs.sqlite"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A view of one moment, which keeps no other reader or writer waiting."""
        with self._transaction("begin") as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is kept whole or, where it raises, not at all."""
        with self._transaction("begin immediate") as db:
            yield db

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        settings.make_home()
        db: sqlite3.Connection | None = None
        try:
            db = sqlite3.connect(self.path, timeout=settings.TABLE_WAIT_SECONDS, isolation_level=None)
            db.row_factory = sqlite3.Row
            db.execute(begin)
            if not (self._is_ready(db) and _has_marks(db)):
                if begin == "begin":
                    # A reader's lock can't become a writer's where another makes the table too: it would be refused.
                    db.execute("rollback")
                    db.execute("begin immediate")
                if not self._is_ready(db):
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)
                    db.execute(f"pragma user_version = {VERSION}")
                for statement in _ADDED.split(";"):
                    db.execute(statement)
            yield db
            db.execute("commit")
        except sqlite3.Error as error:
            if (said := self._explain(error)) is None:
                raise
            raise said from error
        finally:
            if db is not None:
                db.close()  # takes back what was not committed

    def _is_ready(self, db: sqlite3.Connection) -> bool:
        """Whether the tables are there; an `InputError` where they are another version's."""
        found = db.execute("pragma user_version").fetchone()[0]
        if found == VERSION:
            return True
        if found == 0 and db.execute("select count(*) from sqlite_master").fetchone()[0] == 0:
            return False
        age = "a newer" if found > VERSION else "an older"
        raise InputError(
            f"The home {self.path.parent} was made by {age} version of BIRD Explorer (its run table is version {found},"
            f" not {VERSION}), and nothing in it was changed; set BIRD_HOME to another folder, or use that version."
        )

    def _explain(self, error: sqlite3.Error) -> BirdError | None:
        """The sentence for a person, none where the fault is this program's own."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            return RunError(f"The run table {self.path} is held by another process; try again in a moment.")
        if code in _DISK:
            return RunError(f"The run table {self.path} can't be read or written: {error}; is the disk full?")
        if code in _DENIED:
            return InputError(
                f"The home {self.path.parent} can't be written: {error}; set BIRD_HOME to a folder that can."
            )
        if code in _DAMAGED:
            return InputError(f"The run table {self.path} is damaged: {error}; set BIRD_HOME to another folder.")
        return None


def _has_marks(db: sqlite3.Connection) -> bool:
    return db.execute("select 1 from sqlite_master where name = 'marks'").fetchone() is not None
