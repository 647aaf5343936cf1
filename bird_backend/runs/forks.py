"""Forking a transfer: from a checkpoint that it kept it goes on as a new run, with other settings from there.

The checkpoint, the rows and the snapshots up to it are put into the new run's folder as it is asked for, as hard links
where the disk allows: the new run needs nothing of the other any more, which may be deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec, override
from bird_backend.runs.directory import RunDirectory, write_atomic, write_json
from bird_backend.runs.fingerprints import file_digest
from bird_backend.runs.fork_terms import check_terms, rows_that_count, same_geometry, same_training, with_known_settings
from bird_backend.runs.kept import kept_of
from bird_backend.runs.reading import MetricsTail, SnapshotName, snapshots
from bird_backend.runs.run import read_run_spec
from bird_backend.specs import Fork
from bird_backend.transfer import METHODS, reference_method

__all__ = ["ForkPoint", "Parent", "bring", "check_fork", "fork_points", "forked_spec", "parent_of", "rates", "rates_at"]

_PARENT = "parent.json"


@dataclass(frozen=True, order=True)
class ForkPoint:
    """An arm of a run after so many steps, of which there is a checkpoint."""

    arm: str
    step: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class Parent:
    """What a forked run knows of the run that it goes on from."""

    spec: TransferSpec
    steps: int
    """Of an epoch."""


def fork_points(directory: RunDirectory) -> list[ForkPoint]:
    """Where a run can be forked, by arm, then step: as far as its metrics go."""
    found = {(each.arm, each.step): each.path for each in kept_of(directory)}
    origin = _origin(directory)
    for path in [] if directory.is_held() else sorted(directory.checkpoint.glob("*.safetensors")):
        if (step := _step_of(path)) is not None:
            found.setdefault((path.stem, step), path)
    if origin is not None:
        for path in directory.fork.glob("*.safetensors"):
            found.setdefault((path.stem, origin.step), path)
    last: dict[str, int] = {}
    for row in MetricsTail(directory.metrics).read():
        if row.get("type") == "step":
            last[row["arm"]] = max(last.get(row["arm"], 0), row["step"])
    return sorted(ForkPoint(arm, step, path) for (arm, step), path in found.items() if 1 <= step <= last.get(arm, 0))


def forked_spec(
    directory: RunDirectory, step: int, changes: Sequence[str] = (), *, arm: str | None = None
) -> TransferSpec:
    """What a fork of a run at a step is asked for, with `changes` as `--set` takes them.

    `arm` is whose student goes on, by default the method's. The run's own fine-tuning goes on from the same step. Where
    it has not come so far, the new run's is trained from its start; if its training is another, which fine-tuning would
    have had only from there on, it has none. An `InputError` for what can't be forked, or not so.
    """
    document, parent = directory.read_spec(), _transfer(directory)
    arm = arm or parent.method.name
    points = {(each.arm, each.step): each for each in fork_points(directory)}
    if (arm, step) not in points:
        raise InputError(_no_such_point(directory.path.name, arm, step, list(points)))
    twin = points.get((reference_method().name, step))
    fork = Fork(
        run=directory.path.name,
        step=step,
        arm=arm,
        checkpoint=_digest(points[arm, step]),
        twin=None if twin is None else _digest(twin),
    )
    title = f"{parent.title[:90]}, forked at step {step:,}" if parent.title else ""
    document |= {"title": title, "save_as": None, "fork": fork.model_dump(mode="json")}
    document = with_known_settings(override(document, list(changes)), parent)
    spec = _transfer_spec(document)
    if _twin(spec) is None:
        document["fork"]["twin"] = None
    if twin is None and not same_training(parent, spec) and not any(each.startswith("baseline=") for each in changes):
        document["baseline"] = False
    spec = _transfer_spec(document)
    check_terms(spec, parent, steps=_steps_of_epoch(directory))
    return spec


def check_fork(spec: TransferSpec) -> None:
    """An `InputError` where a spec has a fork that can't be asked for now."""
    fork = spec.fork
    if fork is None:
        return
    origin = RunDirectory(settings.runs_dir() / fork.run)
    if not origin.path.is_dir():
        raise InputError(f"The run {fork.run}, from step {fork.step:,} of which this would go on, is gone.")
    check_terms(spec, _transfer(origin), steps=_steps_of_epoch(origin))


def bring(spec: TransferSpec, directory: RunDirectory) -> None:
    """Put all that a forked run goes on from into its directory, which is new; an `InputError` where that is gone."""
    fork = spec.fork
    if fork is None:
        return
    check_fork(spec)
    origin = RunDirectory(settings.runs_dir() / fork.run)
    parent, steps = _transfer(origin), _steps_of_epoch(origin)
    directory.fork.mkdir()
    twin = _twin(spec)
    arms = [(spec.method.name, fork.arm, fork.checkpoint)]
    if twin is not None and fork.twin is not None:
        arms.append((twin, twin, fork.twin))
    points = {(each.arm, each.step): each.path for each in fork_points(origin)}
    rows = MetricsTail(origin.metrics).read()
    for own, theirs, digest in arms:
        there = points.get((theirs, fork.step))
        if there is None:
            raise InputError(_no_such_point(fork.run, theirs, fork.step, list(points)))
        _link(there, directory.fork / f"{own}.safetensors")
        if file_digest(directory.fork / f"{own}.safetensors") != digest:
            raise InputError(
                f"The checkpoint of step {fork.step:,} of run {fork.run} is no longer the one of the spec."
            )
        kept = rows_that_count(rows, theirs, own, spec, parent)
        lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in kept)
        write_atomic(directory.fork / f"{own}.jsonl", lines.encode())
        if same_geometry(parent, spec):
            for name in snapshots(origin):
                if name.model == theirs and name.step <= fork.step:
                    _link(origin.artifacts / name.file, directory.artifacts / SnapshotName(own, name.step).file)
    write_json(directory.fork / _PARENT, {"spec": parent.model_dump(mode="json"), "steps": steps})


def parent_of(directory: RunDirectory) -> Parent | None:
    """What a forked run goes on from; none of one that began at its start, or whose record is of another version."""
    try:
        document = json.loads((directory.fork / _PARENT).read_text("utf-8"))
        spec, steps = load_spec(document["spec"]), int(document["steps"])
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return None
    return Parent(spec=spec, steps=steps) if isinstance(spec, TransferSpec) else None


def rates_at(directory: RunDirectory) -> tuple[float, float]:
    """`rates` of a run that was forked; an `InputError` of another."""
    parent, spec = parent_of(directory), _transfer(directory)
    if parent is None or spec.fork is None:
        raise InputError(f"Run {directory.path.name} was not forked from another.")
    return rates(parent, spec)


def rates(parent: Parent, spec: TransferSpec) -> tuple[float, float]:
    """Learning rates of the step after the fork: as the run that it goes on from had it, and as this one has it.

    Each is where that run's own cosine, over all of its epochs, stands: with more epochs it is higher from the fork on,
    and at the end of a finished run it begins anew at where the longer one stands.
    """
    if spec.fork is None:
        raise InputError("The spec has no fork.")
    before, after = (
        each.training.rate(min(spec.fork.step, total), total)
        for each in (parent.spec, spec)
        for total in [parent.steps * each.training.epochs]
    )
    return before, after


def _transfer(directory: RunDirectory) -> TransferSpec:
    spec = read_run_spec(directory)
    if not isinstance(spec, TransferSpec) or not METHODS[spec.method.name].trains:
        raise InputError(f"Only a transfer that trains a student can be forked, and {directory.path.name} is none.")
    return spec


def _transfer_spec(document: dict[str, Any]) -> TransferSpec:
    spec = load_spec(document)
    if not isinstance(spec, TransferSpec):
        raise InputError("A fork of a transfer is a transfer, so its kind can't be another.")
    return spec


def _twin(spec: TransferSpec) -> str | None:
    """The arm that fine-tunes beside the method's, where there is one."""
    return spec.arms[1].name if len(spec.arms) > 1 else None


def _origin(directory: RunDirectory) -> Fork | None:
    try:
        return Fork.model_validate(directory.read_spec().get("fork"))
    except (InputError, ValueError):
        return None


def _steps_of_epoch(directory: RunDirectory) -> int:
    for row in MetricsTail(directory.metrics).read():
        if row.get("type") == "step" and row["step"] > 0:
            steps: float = row["step"] / row["epoch"]
            return round(steps)
    raise InputError(f"Run {directory.path.name} has not trained yet, so there is nothing to go on from.")


def _step_of(path: Path) -> int | None:
    """After how many steps a checkpoint was taken, from its header; none of one that can't be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            return int(json.loads(file.metadata()["checkpoint"])["step"])
    except (SafetensorError, OSError, KeyError, ValueError, TypeError):
        return None


def _digest(point: ForkPoint) -> str:
    found = file_digest(point.path)
    if len(found) != 64:
        raise InputError(f"The checkpoint of step {point.step:,} can't be read; choose another.")
    return found


def _link(source: Path, target: Path) -> None:
    """Both are replaced whole and never written to, so one file on disk does for both."""
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        raise InputError(f"{source.name} was removed just now; choose another step.") from error
    except OSError:
        shutil.copy2(source, target)


def _no_such_point(run: str, arm: str, step: int, points: list[tuple[str, int]]) -> str:
    steps = sorted(each for name, each in points if name == arm)
    if not steps:
        return f"Run {run} keeps no checkpoint of {arm}, so it can't be forked there."
    near = sorted(sorted(steps, key=lambda each: abs(each - step))[:6])
    return (
        f"Run {run} keeps no checkpoint of step {step:,} of {arm}; the nearest {'is' if len(near) == 1 else 'are'}"
        f" {', '.join(f'{each:,}' for each in near)}."
    )
