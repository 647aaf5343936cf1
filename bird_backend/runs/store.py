"""Runs as rows: one a run, every change one short transaction."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Unpack

from bird_backend import settings
from bird_backend.errors import UnknownNameError
from bird_backend.experiments import KINDS, RunSpec, TransferSpec
from bird_backend.runs.claiming import NO_PROCESS, TAKE, close, set_process, take
from bird_backend.runs.devices import lease_name
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.forks import bring
from bird_backend.runs.identity import Identity, identify
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.run import ACTIVE, FINAL, Run, State, run_of
from bird_backend.runs.table import RunTable
from bird_backend.runs.wanted import MARKED_RUNS, Wanted, wanted_sql

__all__ = ["ACTIVE", "FINAL", "Run", "RunStore", "State"]

_ID = re.compile(r"\d{8}-\d{6}-[a-z]+-[0-9a-f]{16}")
_REUSED: tuple[State, ...] = ("queued", "running", "done")


class RunStore:
    """The runs under the current home. Cheap to make: it opens the table for each call."""

    def __init__(self, path: Path | None = None) -> None:
        self.table = RunTable(path)

    def create(self, spec: RunSpec, *, state: State = "queued", device: str | None = None) -> Run:
        """A new run; one that its maker does at once is `running`, on `device`."""
        return self.create_all([spec], state=state, device=device)[0]

    def create_all(
        self,
        specs: Sequence[RunSpec],
        *,
        reuse: bool = False,
        state: State = "queued",
        device: str | None = None,
        keep: Callable[[sqlite3.Connection, list[Run]], None] | None = None,
    ) -> list[Run]:
        """Runs for all of `specs`, or none at all; `keep` may write more that is to stand or fall with them.

        `reuse` takes those that were asked for exactly the same and did not fail, as they are. A run's directory and
        spec are there before its row is, so that no reader finds it half made.
        """
        identities = [identify(spec) for spec in specs]
        # A home of another version is refused here, before anything is made in it.
        there = self._known({identity.digest for identity in identities} if reuse else ())
        waiting: dict[int, RunDirectory] = {}
        kept: set[Path] = set()
        try:
            # Files are read and folders made before the table is held, which others wait for.
            for index, (spec, identity) in enumerate(zip(specs, identities, strict=True)):
                if identity.digest not in there:
                    waiting[index] = _directory_for(spec)
            with self.table.writing() as db:
                runs = []
                for index, (spec, identity) in enumerate(zip(specs, identities, strict=True)):
                    run = _newest_same(db, identity, _REUSED) if reuse else None
                    if run is None:
                        if index not in waiting:  # it was there a moment ago
                            waiting[index] = _directory_for(spec)
                        run = _insert(db, spec, identity, waiting[index], state=state, device=device)
                    runs.append(run)
                if keep is not None:
                    keep(db, runs)
            kept = {run.directory.path for run in runs}
        finally:
            for directory in waiting.values():
                if directory.path not in kept:
                    shutil.rmtree(directory.path, ignore_errors=True)
        return runs

    def _known(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these identities a run has that would be taken as it is."""
        with self.table.reading() as db:
            rows = db.execute(
                "select distinct identity from runs where identity in (select value from json_each(?))"
                " and state in (select value from json_each(?))",
                (json.dumps(list(digests)), json.dumps(list(_REUSED))),
            )
            return frozenset(row["identity"] for row in rows.fetchall())

    def get(self, run_id: str) -> Run:
        """The run of that name; one that does not exist is an `UnknownNameError` with the closest."""
        if _ID.fullmatch(run_id):
            with self.table.reading() as db:
                row = db.execute(f"{MARKED_RUNS} where id = ?", (run_id,)).fetchone()
            if row is not None:
                return run_of(row)
        raise UnknownNameError("run", run_id, [run.id for run in self.list(limit=20)])

    def get_many(self, run_ids: Collection[str]) -> dict[str, Run]:
        """The runs of those names, in one reading; names of no run are left out."""
        with self.table.reading() as db:
            rows = db.execute(
                f"{MARKED_RUNS} where id in (select value from json_each(?))", (json.dumps(list(run_ids)),)
            ).fetchall()
        return {row["id"]: run_of(row) for row in rows}

    def list(self, *, limit: int | None = None, offset: int = 0, **wanted: Unpack[Wanted]) -> list[Run]:
        """Newest first: all that are wanted, or `limit` of them after the first `offset`."""
        where, arguments = wanted_sql(wanted)
        with self.table.reading() as db:
            rows = db.execute(
                f"{MARKED_RUNS} where {where} order by runs.created desc, runs.rowid desc limit ? offset ?",
                (*arguments, -1 if limit is None else limit, offset),
            ).fetchall()
        return [run_of(row) for row in rows]

    def count(self, **wanted: Unpack[Wanted]) -> int:
        """How many a list without a limit would have."""
        where, arguments = wanted_sql(wanted)
        with self.table.reading() as db:
            counted = f"select count(*) from runs left join marks on marks.run = runs.id where {where}"
            return int(db.execute(counted, arguments).fetchone()[0])

    def waiting_before(self, run: Run) -> int:
        """How many queued runs are to be taken before a queued one."""
        with self.table.reading() as db:
            found = db.execute(
                "select count(*) from runs as other, runs as this where this.id = ? and other.state = 'queued'"
                " and (other.created, other.rowid) < (this.created, this.rowid)",
                (run.id,),
            )
            return int(found.fetchone()[0])

    def find_same(self, spec: RunSpec, *, states: tuple[State, ...] = _REUSED) -> Run | None:
        """The newest run that gives what this spec would give now, if any: same spec, weights, data and code."""
        identity = identify(spec)
        with self.table.reading() as db:
            return _newest_same(db, identity, states)

    def count_same(self, specs: Sequence[RunSpec]) -> int:
        """How many of these have a run that `create_all` would take as it is, in one reading."""
        digests = [identify(spec).digest for spec in specs]
        there = self._known(digests)
        return sum(digest in there for digest in digests)

    def find_family(self, run: Run) -> tuple[Run, ...]:
        """The runs that differ from this one in nothing but the seed, it among them, newest first."""
        with self.table.reading() as db:
            rows = db.execute(f"{MARKED_RUNS} where family = ? order by created desc, runs.rowid desc", (run.family,))
            return tuple(run_of(row) for row in rows.fetchall())

    def set_identity(self, run_id: str, identity: Identity) -> None:
        """Note what the run really begins with: weights and images may have changed since it was asked for."""
        with self.table.writing() as db:
            db.execute(
                "update runs set identity = ?, family = ?, depends_on = ? where id = ?",
                (identity.digest, identity.family, json.dumps(identity.as_dict()), run_id),
            )

    def claim(self, run_id: str) -> bool:
        """Take a queued run; true for exactly one of any number of callers."""
        with self.table.writing() as db:
            taken = db.execute(
                f"update runs set {TAKE} where id = ? and state = 'queued'",
                (time.time(), run_id),
            )
            return taken.rowcount == 1

    def claim_oldest(self, devices: Sequence[str], *, besides: Collection[str] = ()) -> Run | None:
        """Take the oldest queued run that one of `devices` is free for, with that device; none where there is none.

        A device takes one run at a time, and one of a light kind beside it; trainings that are only recorded here keep
        nobody waiting, for they may be left open for days. One that is asked for by name and is not
        among `devices` is granted as named: the run itself says what is wrong with it. Runs of `besides` are left.
        """
        with self.table.writing() as db:
            return take(db, devices, besides=besides)

    def put_back(self, run_id: str, process: ProcessMark | None = None) -> None:
        """Undo a claim that came to nothing; `process` is who made it, where it said so."""
        with self.table.writing() as db:
            db.execute(
                f"update runs set state = 'queued', device = null, attempts = attempts - 1, {NO_PROCESS}"
                " where id = ? and state = 'running' and pid is ?",
                (run_id, None if process is None else process.pid),
            )

    def set_process(self, run_id: str, process: ProcessMark, *, device: str) -> None:
        """Note who runs it and where."""
        with self.table.writing() as db:
            set_process(db, run_id, process, device)

    def finish(
        self, run_id: str, state: State, *, reason: str | None = None, summary: dict[str, Any] | None = None
    ) -> None:
        """Close a running run. One that is closed already stays as it is."""
        with self.table.writing() as db:
            close(db, run_id, state, reason, summary)

    def finish_and_take_next(
        self,
        run_id: str,
        state: State,
        *,
        process: ProcessMark,
        device: str,
        reason: str | None = None,
        summary: dict[str, Any] | None = None,
    ) -> Run | None:
        """Close a run and take the one that is next for its device, in one step, so that nobody comes between.

        `process` did the first and will do the other. None where what is next is not of the same study.
        """
        with self.table.writing() as db:
            close(db, run_id, state, reason, summary)
            following = take(db, [device], after=run_id)
            if following is not None:
                set_process(db, following.id, process, device)
        return following

    def request_cancel(self, run_id: str) -> None:
        """Note that a person asked for it to stop."""
        with self.table.writing() as db:
            db.execute(
                "update runs set cancel_requested = ? where id = ? and cancel_requested is null",
                (time.time(), run_id),
            )

    def is_cancel_requested(self, run_id: str) -> bool:
        """Whether a person asked for it to stop."""
        with self.table.reading() as db:
            row = db.execute("select cancel_requested from runs where id = ?", (run_id,)).fetchone()
        return row is not None and row[0] is not None

    def requeue(self, run_id: str, *, states: tuple[State, ...], forgive: bool = False) -> bool:
        """Put a stopped run back in the queue, to go on from its checkpoint; `forgive` forgets earlier attempts."""
        with self.table.writing() as db:
            moved = db.execute(
                f"update runs set state = 'queued', finished = null, cancel_requested = null, laid_out = 0,"
                f" {NO_PROCESS}, attempts = case when ? then 0 else attempts end"
                " where id = ? and state in (select value from json_each(?))",
                (forgive, run_id, json.dumps(list(states))),
            )
            return moved.rowcount == 1

    def note_opened(self, run_id: str) -> None:
        """Note that someone wants to see its embeddings, so that they are made before others'."""
        with self.table.writing() as db:
            db.execute("update runs set opened = ? where id = ?", (time.time(), run_id))

    def not_laid_out(self, *, recent: int) -> Sequence[Run]:
        """Begun runs that may lack embeddings: those that were opened, the last first, then of the newest `recent`."""
        with self.table.reading() as db:
            rows = db.execute(
                "select * from runs where laid_out = 0 and started is not null and (opened is not null or id in"
                " (select id from runs where started is not null order by created desc limit ?))"
                " order by opened desc, created desc",  # nulls come last
                (recent,),
            ).fetchall()
        return [run_of(row) for row in rows]

    def set_laid_out(self, run_id: str) -> None:
        """Note that an ended run has every embedding that it can have."""
        with self.table.writing() as db:
            db.execute(
                "update runs set laid_out = 1 where id = ? and state not in ('queued', 'running', 'interrupted')",
                (run_id,),
            )


def _directory_for(spec: RunSpec) -> RunDirectory:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    directory = RunDirectory(settings.runs_dir() / f"{stamp}-{spec.kind}-{secrets.token_hex(8)}")
    try:
        directory.create(spec.model_dump(mode="json"))
        if isinstance(spec, TransferSpec):
            bring(spec, directory)
    except BaseException:
        shutil.rmtree(directory.path, ignore_errors=True)
        raise
    return directory


def _insert(
    db: sqlite3.Connection,
    spec: RunSpec,
    identity: Identity,
    directory: RunDirectory,
    *,
    state: State,
    device: str | None,
) -> Run:
    now = time.time()
    at_once = state == "running"
    values = {
        "id": directory.path.name,
        "kind": spec.kind,
        "title": spec.title or KINDS[spec.kind].title(spec),
        "state": state,
        "identity": identity.digest,
        "family": identity.family,
        "depends_on": json.dumps(identity.as_dict()),
        "wanted": lease_name(spec.device),
        "created": now,
        "started": now if at_once else None,
        "device": device,
        "attempts": int(at_once),
    }
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    return run_of(db.execute(f"insert into runs ({names}) values ({marks}) returning *", values).fetchone())


def _newest_same(db: sqlite3.Connection, identity: Identity, states: tuple[State, ...]) -> Run | None:
    row = db.execute(
        f"{MARKED_RUNS} where identity = ? and state in (select value from json_each(?))"
        " order by created desc, runs.rowid desc limit 1",
        (identity.digest, json.dumps(list(states))),
    ).fetchone()
    return run_of(row) if row is not None else None
