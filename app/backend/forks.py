"""The app's way to forks: where a run can be forked, what a fork would be, and asking for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app.backend import data
from app.charts.curves import X, per_step
from bird_backend import settings
from bird_backend.experiments import TransferSpec
from bird_backend.runs import queue
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.forks import ForkPoint, Parent, fork_points, forked_spec, parent_of, rates
from bird_backend.runs.kept import kept_of, used

__all__ = ["ForkPoint", "Kept", "Planned", "fork", "forked_at", "kept_checkpoints", "parent", "plan_fork", "points"]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Bytes of kept checkpoints: of a run, of all runs, and at most."""

    own: int
    all: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A fork as it would be asked for, and the learning rate of its first step as it was and as it will be."""

    spec: TransferSpec
    rate_before: float
    rate_after: float


def points(run: data.Run) -> list[ForkPoint]:
    """Where a run can be forked, by arm, then step; nothing of one that trains no student."""
    folder = run.directory
    stamps = tuple(_stamp(path) for path in (folder.kept, folder.checkpoint, folder.metrics))
    return list(_points(str(folder.path), run.state, stamps))


@lru_cache(maxsize=8)
def _points(path: str, _state: str, _stamps: tuple[int, ...]) -> tuple[ForkPoint, ...]:
    return tuple(fork_points(RunDirectory(Path(path))))


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def kept_checkpoints(run: data.Run) -> Kept:
    """What forking takes on the disk."""
    own = sum(each.size for each in kept_of(run.directory))
    return Kept(own=own, all=used(), limit=settings.kept_checkpoints())


def plan_fork(run: data.Run, step: int, changes: Sequence[str], *, arm: str) -> Planned:
    """What `fork` would ask for; an `InputError` of one sentence where it can't be."""
    spec, origin = forked_spec(run.directory, step, changes, arm=arm), data.spec_of(run)
    if not isinstance(origin, TransferSpec):
        raise data.InputError("Only a transfer can be forked.")
    before, after = rates(Parent(spec=origin, steps=_steps_of_epoch(run)), spec)
    return Planned(spec=spec, rate_before=before, rate_after=after)


def fork(planned: Planned) -> data.Run:
    """Ask for it."""
    run = queue.submit(planned.spec)
    data.ensure_worker()
    return run


def parent(run: data.Run) -> Parent | None:
    """What a forked run goes on from; none of a run that began at its start."""
    return _parent(str(run.directory.path)) if run.directory.fork.is_dir() else None


@lru_cache(maxsize=64)
def _parent(path: str) -> Parent | None:
    return parent_of(RunDirectory(Path(path)))


def forked_at(run: data.Run, metrics: pd.DataFrame, x: X) -> float | None:
    """Where a run's curves stop being its parent's, on their axis; none of a run that began at its start."""
    spec = data.spec_of(run)
    if not isinstance(spec, TransferSpec) or spec.fork is None:
        return None
    return spec.fork.step * per_step(metrics, x)


def _steps_of_epoch(run: data.Run) -> int:
    return max(1, round(1 / per_step(data.metrics(run), "epoch")))
