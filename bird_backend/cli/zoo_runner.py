"""Making the zoo here and now, in one process: what is there stays, and what was begun goes on from its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bird_backend import settings
from bird_backend.cli.study_runner import told_to_stop
from bird_backend.errors import BirdError, InputError, RunError
from bird_backend.experiments.sharing import Shared
from bird_backend.jobs.leases import lease
from bird_backend.jobs.process import OnProgress, perform
from bird_backend.runs.directory import is_locked
from bird_backend.runs.store import RunStore
from bird_backend.studies.zoo import Teacher, effort, state_of

__all__ = ["Made", "make_zoo"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of one teacher."""

    name: str
    state: Literal["there", "made", "failed"]
    """`there`: it was already."""
    seconds: float = 0.0
    reason: str = ""
    """Why it failed."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "state": self.state, "seconds": self.seconds, "reason": self.reason}


class _Whole:
    """Progress of one teacher told as that of all that are still to be made."""

    def __init__(self, on_progress: OnProgress, teachers: Sequence[Teacher]) -> None:
        self._on_progress = on_progress
        self._efforts = {teacher.name: effort(teacher) for teacher in teachers}
        self._names = list(self._efforts)
        self._before = self._here = 0.0
        self._label = ""
        self._began = time.monotonic()

    def begin(self, name: str) -> None:
        self._before += self._here
        self._here = self._efforts[name]
        self._label = f"{self._names.index(name) + 1} of {len(self._names)}, {name}"

    def __call__(self, phase: str, fraction: float, _: float | None) -> None:
        share = (self._before + fraction * self._here) / sum(self._efforts.values())
        spent = time.monotonic() - self._began
        self._on_progress(f"{self._label}: {phase}", share, spent * (1 - share) / share if share > _SAYS else None)


_SAYS = 0.02
"""From what share on the time left is worth saying."""


def make_zoo(teachers: Sequence[Teacher], *, replace: bool, on_progress: OnProgress) -> list[Made]:
    """Make those that are not there, in their order; what became of each.

    One that fails stops only those that begin with its weights; being told to stop is a `BirdError`. Weights of a
    teacher's name that were made in another way are an `InputError` before anything is made, unless they are to be
    replaced.
    """
    found = {teacher.name: state_of(teacher) for teacher in teachers}
    if (others := [name for name, state in found.items() if state == "other"]) and not replace:
        named = f"{others[0]} and {len(others) - 1} more are" if len(others) > 1 else f"{others[0]} is"
        raise InputError(
            f"{named} there already, made in another way, or of weights that were made anew since; --replace makes"
            " what is so anew."
        )
    made: dict[str, Made] = {}
    anew = {name for name, state in found.items() if state != "there"}
    for teacher in teachers:
        if teacher.begins_with in anew:
            anew.add(teacher.name)
    waiting = [teacher for teacher in teachers if teacher.name in anew]
    progress, shared = _Whole(on_progress, waiting), Shared(settings.SHARED_BYTES)
    for teacher in teachers:
        before = made.get(teacher.begins_with or "")
        if teacher.name not in anew:
            made[teacher.name] = Made(name=teacher.name, state="there")
        elif before is not None and before.state == "failed":
            made[teacher.name] = Made(name=teacher.name, state="failed", reason=f"{before.name} was not made.")
        else:
            progress.begin(teacher.name)
            made[teacher.name] = _make(teacher, progress, shared)
    return list(made.values())


def _make(teacher: Teacher, on_progress: OnProgress, shared: Shared) -> Made:
    began, store = time.monotonic(), RunStore()
    (settings.checkpoints_dir() / f"{teacher.name}.safetensors").unlink(missing_ok=True)
    run_id = ""
    try:
        run_id, device = _run_of(teacher, store)
        perform(run_id, device=device, shared=shared, on_progress=on_progress)
    except BirdError as error:
        if run_id and told_to_stop(error, run_id, store):
            raise
        return Made(name=teacher.name, state="failed", seconds=_since(began), reason=str(error))
    return Made(name=teacher.name, state="made", seconds=_since(began))


def _run_of(teacher: Teacher, store: RunStore) -> tuple[str, str]:
    """The run that makes it, claimed, and its device: one that was begun and is nobody's now, else a new one."""
    device = lease(teacher.spec.device)
    begun = store.find_same(teacher.spec, states=("running", "interrupted", "failed", "cancelled", "queued"))
    if begun is None:
        return store.create(teacher.spec, state="running", device=device).id, device
    if begun.state == "running" and is_locked(begun.directory.lock):
        raise RunError(f"Another process is making {teacher.name}, in run {begun.id}.")
    if begun.state != "queued":
        store.requeue(begun.id, states=(begun.state,), forgive=True)
    if not store.claim(begun.id):
        raise RunError(f"A worker here has taken up {teacher.name}, in run {begun.id}; it goes on there.")
    return begun.id, device


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
