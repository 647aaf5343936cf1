"""Studies as rows beside the runs': queue a plan, whole or not at all, and find a study again."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Mapping

from pydantic import ValidationError

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.runs.checks import check_transfer
from bird_backend.runs.queue import ensure_supervisor
from bird_backend.runs.store import Run, RunStore
from bird_backend.runs.table import RunTable
from bird_backend.studies.study import Member, Plan, Study

__all__ = [
    "begin_study",
    "find_study_of",
    "list_studies",
    "note_run",
    "note_runs",
    "read_study",
    "read_within",
    "runs_of",
    "states_of",
    "submit_study",
    "write_study",
]

_ID = re.compile(r"\d{8}-\d{6}-study-[0-9a-f]{16}")


def submit_study(plan: Plan, *, start_worker: bool = True) -> Study:
    """Queue every run of a plan but those that were done or asked for already, and see to it that someone does them.

    The study and its runs are kept in one transaction: after a crash there are all of them or none.
    """
    specs = [plan.spec(variant, seed) for variant, seed in plan.asked]
    for spec in specs:
        check_transfer(spec)
    kept: list[Study] = []

    def keep(db: sqlite3.Connection, runs: list[Run]) -> None:
        members = (
            Member(variant=variant.key, seed=seed, run=run.id)
            for (variant, seed), run in zip(plan.asked, runs, strict=True)
        )
        kept.append(_new(plan, tuple(members)))
        write_study(db, kept[0])

    RunStore().create_all(specs, reuse=True, keep=keep)
    if start_worker:
        ensure_supervisor()
    return kept[0]


def begin_study(plan: Plan) -> Study:
    """A study that the caller carries out by itself, run by run, telling each with `note_run`. Finished runs count."""
    store = RunStore()
    members = []
    for variant, seed in plan.asked:
        same = store.find_same(plan.spec(variant, seed), states=("done",))
        members.append(Member(variant=variant.key, seed=seed, run=None if same is None else same.id))
    study = _new(plan, tuple(members))
    with RunTable().writing() as db:
        write_study(db, study)
    return study


def note_run(study: Study, member: Member, run_id: str) -> Study:
    """The study with a run for one of its members, kept so."""
    with RunTable().writing() as db:
        # As it is now: it may have been given more time or seeds meanwhile.
        changed = note_runs(read_within(db, study.id), {(member.variant, member.seed): run_id})
        write_study(db, changed)
    return changed


def note_runs(study: Study, runs: Mapping[tuple[str, int], str]) -> Study:
    """The study with runs for those of its members, by variant and seed; not kept yet."""
    members = tuple(
        member.model_copy(update={"run": runs.get((member.variant, member.seed), member.run)})
        for member in study.members
    )
    return study.model_copy(update={"members": members})


def find_study_of(run_id: str) -> Study | None:
    """The newest study that has the run, if any has."""
    with RunTable().reading() as db:
        row = db.execute(
            "select id from studies where exists (select 1 from json_each(document, '$.members') as member"
            " where member.value ->> 'run' = ?) order by created desc limit 1",
            (run_id,),
        ).fetchone()
    return None if row is None else read_study(row["id"])


def read_study(study_id: str) -> Study:
    """The study of that name; one that does not exist is an `UnknownNameError` with the closest."""
    with RunTable().reading() as db:
        return read_within(db, study_id)


def read_within(db: sqlite3.Connection, study_id: str) -> Study:
    """`read_study` inside a transaction."""
    known = _ID.fullmatch(study_id)  # a name may hold what no text can, half a surrogate pair
    row = db.execute("select document from studies where id = ?", (study_id,)).fetchone() if known else None
    if row is None:
        near = db.execute("select id from studies order by created desc limit 20").fetchall()
        raise UnknownNameError("study", study_id, [other["id"] for other in near])
    try:
        return Study.model_validate_json(row["document"])
    except ValidationError as error:
        raise InputError(f"The study {study_id} is damaged and can't be read.") from error


def list_studies(*, limit: int | None = 50, offset: int = 0) -> list[Study]:
    """Newest first, `limit` of them after the first `offset`.

    One that can't be read is passed over here, and `read_study` says what is wrong with it.
    """
    with RunTable().reading() as db:
        rows = db.execute(
            "select document from studies order by created desc, rowid desc limit ? offset ?",
            (-1 if limit is None else limit, offset),
        ).fetchall()
    found: list[Study] = []
    for row in rows:
        try:
            found.append(Study.model_validate_json(row["document"]))
        except ValidationError:
            continue
    return found


def runs_of(study: Study) -> Mapping[str, Run]:
    """The study's runs as they are now, by id, in one reading; one that is no longer there is left out."""
    return RunStore().get_many(study.run_ids)


def states_of(study: Study, runs: Mapping[str, Run] | None = None) -> dict[str, int]:
    """How many of the study's members are in which state; `waiting` are those without a run yet."""
    runs = runs_of(study) if runs is None else runs
    states: dict[str, int] = {}
    for member in study.members:
        # A run that was removed will not come back.
        known = "waiting" if member.run is None else runs[member.run].state if member.run in runs else "failed"
        states[known] = states.get(known, 0) + 1
    return states


def _new(plan: Plan, members: tuple[Member, ...]) -> Study:
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return Study(
        **plan.model_dump(), id=f"{stamp}-study-{secrets.token_hex(8)}", created=round(now, 3), members=members
    )


def write_study(db: sqlite3.Connection, study: Study) -> None:
    """Keep it as it is, inside a transaction."""
    db.execute(
        "insert into studies (id, created, document) values (?, ?, ?)"
        " on conflict (id) do update set document = excluded.document",
        (study.id, study.created, study.model_dump_json()),
    )
