"""Which queued run is next for a device, and taking it: statements inside a transaction of the run table."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any

from bird_backend.experiments import KINDS
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.run import Run, State, run_of

__all__ = ["NO_PROCESS", "TAKE", "close", "set_process", "stop_waiting", "take"]

TAKE = "state = 'running', started = coalesce(started, ?), attempts = attempts + 1, reason = null"
NO_PROCESS = "pid = null, host = null, pid_since = null"
_CLAIM = f"""
update runs set {TAKE.replace("?", ":now")}, device = free.device
from (
    select waiting.id, coalesce(offered.value, waiting.wanted) as device
    from runs as waiting left join json_each(:devices) as offered on waiting.wanted in ('auto', offered.value)
    where waiting.state = 'queued' and waiting.id not in (select value from json_each(:besides))
        and coalesce(offered.value, waiting.wanted) != 'auto'
        and (:after is null or (coalesce(offered.value, waiting.wanted) in (select value from json_each(:devices))
            and waiting.kind not in (select value from json_each(:light))))
        and not exists (
            select * from runs as busy
            where busy.state = 'running' and busy.device = coalesce(offered.value, waiting.wanted)
                and busy.kind not in (select value from json_each(:recorded))
                and (busy.kind in (select value from json_each(:light)))
                    = (waiting.kind in (select value from json_each(:light)))
        )
    order by waiting.created, waiting.rowid, offered.key limit 1
) as free
where runs.id = free.id and (:after is null or runs.id in (
    select member.value ->> 'run' from studies, json_each(studies.document, '$.members') as member
    where instr(studies.document, :after)
)) returning *
"""


def take(
    db: sqlite3.Connection, devices: Sequence[str], *, besides: Collection[str] = (), after: str | None = None
) -> Run | None:
    """Take the oldest queued run that one of `devices` is free for, but none of `besides`; none where there is none.

    `after` is a run whose process goes on: it takes what is next for its device, where that is of the same study.
    """
    values = {
        "now": time.time(),
        "devices": json.dumps(list(devices)),
        "light": json.dumps([kind.name for kind in KINDS.values() if kind.light]),
        "recorded": json.dumps([kind.name for kind in KINDS.values() if kind.recorded]),
        "besides": json.dumps(list(besides)),
        "after": after,
    }
    row = db.execute(_CLAIM, values).fetchone()
    return run_of(row) if row is not None else None


def set_process(db: sqlite3.Connection, run_id: str, process: ProcessMark, device: str) -> None:
    """Note who does a run and where."""
    db.execute(
        "update runs set pid = ?, host = ?, pid_since = ?, device = ? where id = ?",
        (process.pid, process.host, process.since, device, run_id),
    )


def close(
    db: sqlite3.Connection, run_id: str, state: State, reason: str | None, summary: dict[str, Any] | None
) -> None:
    """Close a run that is not closed already."""
    db.execute(
        f"update runs set state = ?, finished = ?, reason = ?, summary = ?, {NO_PROCESS}"
        " where id = ? and state in ('queued', 'running', 'interrupted')",
        (state, time.time(), reason, json.dumps(summary) if summary is not None else None, run_id),
    )


def stop_waiting(db: sqlite3.Connection, run_ids: Collection[str], *, reason: str) -> None:
    """Close those of the runs that wait for their turn."""
    db.execute(
        "update runs set state = 'cancelled', cancel_requested = coalesce(cancel_requested, :now), finished = :now,"
        f" reason = :reason, {NO_PROCESS} where state in ('queued', 'interrupted')"
        " and id in (select value from json_each(:ids))",
        {"now": time.time(), "reason": reason, "ids": json.dumps(list(run_ids))},
    )
