"""The run table: one SQLite file, one row a run, every change one short transaction.

A rollback journal rather than WAL: the table is small, several processes write it, and WAL with several checkpointing
connections has a corruption race in the SQLite that current distributions ship.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import KINDS, RunSpec, load_spec
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.identity import Identity, identify

__all__ = ["ACTIVE", "FINAL", "Run", "RunStore", "State"]

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
FINAL: tuple[State, ...] = ("done", "failed", "cancelled")

_ID = re.compile(r"\d{8}-\d{6}-[a-z]+-[0-9a-f]{4}")
_SCHEMA = """
create table if not exists runs (
    id text primary key,
    kind text not null,
    title text not null,
    state text not null,
    identity text not null,
    family text not null,
    depends_on text not null,
    created real not null,
    started real,
    finished real,
    device text,
    pid integer,
    attempts integer not null default 0,
    cancel_requested real,
    reason text,
    summary text
);
create index if not exists runs_by_state on runs (state, created);
create index if not exists runs_by_identity on runs (identity, state);
create index if not exists runs_by_family on runs (family);
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row. Times are seconds since the epoch; `reason` says why it failed; `summary` is its result."""

    id: str
    kind: str
    title: str
    state: State
    identity: str
    """Equal for runs that give the same result: see `runs.identity`."""
    family: str
    """Equal for runs that differ in nothing but the seed."""
    depends_on: dict[str, Any]
    """What the identity is made of: `spec`, `weights` and `folders` with their digests, `data`, `code`."""
    created: float
    started: float | None
    finished: float | None
    device: str | None
    pid: int | None
    attempts: int
    cancel_requested: float | None
    reason: str | None
    summary: dict[str, Any] | None

    @property
    def directory(self) -> RunDirectory:
        """Where everything the run reads and writes lies."""
        return RunDirectory(settings.runs_dir() / self.id)

    @property
    def spec(self) -> RunSpec:
        """What was asked for."""
        return load_spec(self.directory.read_spec())


class RunStore:
    """The run table under the current home. Cheap to make: it opens the file for each call."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or settings.home() / "runs.sqlite"

    def create(self, spec: RunSpec, *, state: State = "queued") -> Run:
        """A new run. Its directory and spec are there before the row is, so that no reader finds it half made."""
        now = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        run_id = f"{stamp}-{spec.kind}-{secrets.token_hex(2)}"
        identity = identify(spec)
        RunDirectory(settings.runs_dir() / run_id).create(spec.model_dump(mode="json"))
        with self._connect() as db:
            db.execute(
                "insert into runs (id, kind, title, state, identity, family, depends_on, created, started, attempts)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    spec.kind,
                    spec.title or KINDS[spec.kind].title(spec),
                    state,
                    identity.digest,
                    identity.family,
                    json.dumps(identity.as_dict()),
                    now,
                    now if state == "running" else None,
                    int(state == "running"),
                ),
            )
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """The run of that name; one that does not exist is an `UnknownNameError` with the closest."""
        if _ID.fullmatch(run_id):
            with self._connect() as db:
                row = db.execute("select * from runs where id = ?", (run_id,)).fetchone()
            if row is not None:
                return _run(row)
        raise UnknownNameError("run", run_id, [run.id for run in self.list(limit=20)])

    def get_many(self, run_ids: Collection[str]) -> dict[str, Run]:
        """The runs of those names, in one reading; names of no run are left out."""
        marks = ", ".join("?" * len(run_ids))
        with self._connect() as db:
            rows = db.execute(f"select * from runs where id in ({marks})", tuple(run_ids)).fetchall()
        return {row["id"]: _run(row) for row in rows}

    def list(
        self, *, kind: str | None = None, states: tuple[State, ...] = get_args(State), limit: int = 200
    ) -> list[Run]:
        """Newest first."""
        marks = ", ".join("?" * len(states))
        where, arguments = f"state in ({marks})", list[Any](states)
        if kind is not None:
            where, arguments = f"{where} and kind = ?", [*arguments, kind]
        with self._connect() as db:
            rows = db.execute(
                f"select * from runs where {where} order by created desc, id desc limit ?",
                (*arguments, limit),
            ).fetchall()
        return [_run(row) for row in rows]

    def find_same(self, spec: RunSpec, *, states: tuple[State, ...] = ("queued", "running", "done")) -> Run | None:
        """The newest run that gives what this spec would give now, if any: same spec, weights, data and code."""
        marks, identity = ", ".join("?" * len(states)), identify(spec).digest
        with self._connect() as db:
            row = db.execute(
                f"select * from runs where identity = ? and state in ({marks}) order by created desc limit 1",
                (identity, *states),
            ).fetchone()
        return _run(row) if row is not None else None

    def find_family(self, run: Run) -> tuple[Run, ...]:
        """The runs that differ from this one in nothing but the seed, it among them, newest first."""
        with self._connect() as db:
            rows = db.execute("select * from runs where family = ? order by created desc, id desc", (run.family,))
            return tuple(_run(row) for row in rows.fetchall())

    def set_identity(self, run_id: str, identity: Identity) -> None:
        """Note what the run really begins with: weights and images may have changed since it was asked for."""
        with self._connect() as db:
            db.execute(
                "update runs set identity = ?, family = ?, depends_on = ? where id = ?",
                (identity.digest, identity.family, json.dumps(identity.as_dict()), run_id),
            )

    def claim(self, run_id: str) -> bool:
        """Take a queued run; true for exactly one of any number of callers."""
        with self._connect() as db:
            taken = db.execute(
                "update runs set state = 'running', started = coalesce(started, ?), attempts = attempts + 1,"
                " reason = null where id = ? and state = 'queued'",
                (time.time(), run_id),
            )
            return taken.rowcount == 1

    def set_device(self, run_id: str, device: str) -> None:
        """Note the lease, from the claim on, so that no second run is granted the same device."""
        with self._connect() as db:
            db.execute("update runs set device = ? where id = ?", (device, run_id))

    def set_process(self, run_id: str, *, pid: int, device: str) -> None:
        """Note who runs it and where."""
        with self._connect() as db:
            db.execute("update runs set pid = ?, device = ? where id = ?", (pid, device, run_id))

    def finish(
        self, run_id: str, state: State, *, reason: str | None = None, summary: dict[str, Any] | None = None
    ) -> None:
        """Close a running run. One that is closed already stays as it is."""
        with self._connect() as db:
            db.execute(
                "update runs set state = ?, finished = ?, reason = ?, summary = ?, pid = null"
                " where id = ? and state in ('queued', 'running', 'interrupted')",
                (state, time.time(), reason, json.dumps(summary) if summary is not None else None, run_id),
            )

    def request_cancel(self, run_id: str) -> None:
        """Note that a person asked for it to stop."""
        with self._connect() as db:
            db.execute(
                "update runs set cancel_requested = ? where id = ? and cancel_requested is null",
                (time.time(), run_id),
            )

    def requeue(self, run_id: str, *, states: tuple[State, ...], forgive: bool = False) -> bool:
        """Put a stopped run back in the queue, to go on from its checkpoint; `forgive` forgets earlier attempts."""
        marks = ", ".join("?" * len(states))
        with self._connect() as db:
            moved = db.execute(
                "update runs set state = 'queued', finished = null, cancel_requested = null, pid = null,"
                f" attempts = case when ? then 0 else attempts end where id = ? and state in ({marks})",
                (forgive, run_id, *states),
            )
            return moved.rowcount == 1

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        settings.make_home()
        try:
            db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise InputError(
                f"The home {self._path.parent} can't be written: {error}; set BIRD_HOME to a folder that can."
            ) from error
        try:
            db.row_factory = sqlite3.Row
            db.execute("begin immediate")
            if db.execute("pragma user_version").fetchone()[0] == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute("pragma user_version = 1")
            yield db
            db.execute("commit")
        except BaseException:
            if db.in_transaction:
                db.execute("rollback")
            raise
        finally:
            db.close()


def _run(row: sqlite3.Row) -> Run:
    fields = dict(row)
    fields["summary"] = json.loads(fields["summary"]) if fields["summary"] else None
    fields["depends_on"] = json.loads(fields["depends_on"])
    return Run(**fields)
