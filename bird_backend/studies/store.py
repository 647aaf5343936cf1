"""Studies on disk, one JSON file each, and their runs: queue a plan, find a study again."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping

from pydantic import ValidationError

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.runs.directory import write_atomic
from bird_backend.runs.queue import ensure_supervisor, submit
from bird_backend.runs.store import Run, RunStore
from bird_backend.studies.study import Member, Plan, Study

__all__ = ["begin_study", "list_studies", "note_run", "read_study", "runs_of", "states_of", "submit_study"]

_ID = re.compile(r"\d{8}-\d{6}-study-[0-9a-f]{4}")


def submit_study(plan: Plan, *, start_worker: bool = True) -> Study:
    """Queue every run of a plan but those that were done or asked for already, and see to it that someone does them.

    The plan has been checked whole, so nothing is queued of one that can't be.
    """
    members = tuple(
        Member(variant=variant.key, seed=seed, run=submit(plan.spec(variant, seed), reuse=True).id)
        for variant, seed in plan.asked
    )
    study = _keep(plan, members)
    if start_worker:
        ensure_supervisor()
    return study


def begin_study(plan: Plan) -> Study:
    """A study that the caller carries out by itself, run by run, telling each with `note_run`. Finished runs count."""
    store = RunStore()
    members = []
    for variant, seed in plan.asked:
        same = store.find_same(plan.spec(variant, seed), states=("done",))
        members.append(Member(variant=variant.key, seed=seed, run=None if same is None else same.id))
    return _keep(plan, tuple(members))


def note_run(study: Study, member: Member, run_id: str) -> Study:
    """The study with a run for one of its members, kept so."""
    members = tuple(
        other.model_copy(update={"run": run_id})
        if (other.variant, other.seed) == (member.variant, member.seed)
        else other
        for other in study.members
    )
    changed = study.model_copy(update={"members": members})
    _write(changed)
    return changed


def read_study(study_id: str) -> Study:
    """The study of that name; one that does not exist is an `UnknownNameError` with the closest."""
    path = settings.studies_dir() / f"{study_id}.json"
    if not _ID.fullmatch(study_id) or not path.is_file():
        raise UnknownNameError("study", study_id, _names()[:20])
    try:
        return Study.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"The study file {path} is damaged or can't be read.") from error


def list_studies(*, limit: int = 50) -> list[Study]:
    """Newest first; a file that can't be read is passed over here, and `read_study` says what is wrong with it."""
    found: list[Study] = []
    for name in _names():
        if len(found) == limit:
            break
        try:
            found.append(read_study(name))
        except InputError:
            continue
    # A name has the second only.
    return sorted(found, key=lambda study: study.created, reverse=True)


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


def _keep(plan: Plan, members: tuple[Member, ...]) -> Study:
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    study = Study(
        **plan.model_dump(), id=f"{stamp}-study-{secrets.token_hex(2)}", created=round(now, 3), members=members
    )
    _write(study)
    return study


def _write(study: Study) -> None:
    settings.make_home()
    path = settings.studies_dir() / f"{study.id}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, study.model_dump_json(indent=1).encode())
    except OSError as error:
        raise InputError(f"The study can't be kept in {path.parent}: {error.strerror}.") from error


def _names() -> list[str]:
    """Newest first: a name begins with its time."""
    return sorted(
        (path.stem for path in settings.studies_dir().glob("*.json") if _ID.fullmatch(path.stem)), reverse=True
    )
