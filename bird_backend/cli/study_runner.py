"""Carrying out a study here and now, one run after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bird_backend import settings
from bird_backend.durations import exact
from bird_backend.errors import BirdError, Cancelled
from bird_backend.experiments.sharing import Shared
from bird_backend.jobs.leases import lease
from bird_backend.jobs.process import OnProgress, perform
from bird_backend.runs.store import RunStore
from bird_backend.studies import Plan, Study, begin_study, note_run, progress_of

__all__ = ["perform_study", "told_to_stop"]


@dataclass
class _Whole:
    """Progress of one member told as that of the whole study."""

    on_progress: OnProgress
    total: int
    reused: int
    done: int = 0
    name: str = ""
    began: float = field(default_factory=time.monotonic)

    def begin(self, name: str) -> None:
        self.done += 1
        self.name = name

    def __call__(self, phase: str, fraction: float, _: float | None) -> None:
        here = self.done - 1 - self.reused + fraction
        left = self.total - self.reused - here
        seconds = (time.monotonic() - self.began) * left / here if here > 0.1 else None
        whole = (self.done - 1 + fraction) / self.total
        self.on_progress(f"{self.done} of {self.total}, {self.name}: {phase}", whole, seconds)


def perform_study(plan: Plan, *, on_progress: OnProgress) -> tuple[Study, list[str]]:
    """Do a plan's runs in this process, except those that are done already; the study, and a sentence for each failure.

    One that fails does not stop the others; being told to stop does, by a `BirdError`, and what is done stays.
    """
    study, store, failures = begin_study(plan), RunStore(), list[str]()
    waiting = [member for member in study.members if member.run is None]
    progress = _Whole(on_progress, total=len(study.members), reused=len(study.members) - len(waiting))
    progress.done = progress.reused
    shared = Shared(settings.SHARED_BYTES)
    for member in waiting:
        if study.budget_seconds is not None and progress_of(study).spent_seconds >= study.budget_seconds:
            failures.append(f"The budget of {exact(study.budget_seconds)} is used up; the rest was not begun.")
            break
        variant = study.variant(member.variant)
        spec = study.spec(variant, member.seed)
        progress.begin(f"{variant.label}, seed {member.seed}")
        same = store.find_same(spec, states=("done",))
        device = "" if same is not None else lease(spec.device)
        run = same or store.create(spec, state="running", device=device)
        study = note_run(study, member, run.id)
        if same is not None:
            continue  # another variant of this study asks for the same
        try:
            perform(run.id, device=device, shared=shared, on_progress=progress)
        except BirdError as error:
            if told_to_stop(error, run.id, store):
                raise
            failures.append(f"{variant.label}, seed {member.seed}: {error}")
    return study, failures


def told_to_stop(error: BirdError, run_id: str, store: RunStore) -> bool:
    """Whether the process was, rather than one of its runs: by the keyboard or TERM, and not from the run's page."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        return True
    return isinstance(error, Cancelled) and store.get(run_id).cancel_requested is None
