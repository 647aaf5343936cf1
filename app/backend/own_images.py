"""One's own images: what is in a folder or zip, read by a light run and found again while they are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from app.backend import data
from bird_backend.experiments import InspectSpec, TransferSpec
from bird_backend.runs import checks
from bird_backend.runs.store import Run, RunStore, State

__all__ = ["Images", "Inspection", "Problems", "find_inspection", "inspect", "transfer_problems"]


@dataclass(frozen=True, kw_only=True)
class Images:
    """What was found: classes, images in each split, and sentences on what was done to them or left out."""

    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """The run that reads the images, and what it found; none until it is done, or where it failed."""

    run: Run
    images: Images | None


@dataclass(frozen=True, kw_only=True)
class Problems:
    """What keeps a transfer from being, each in a sentence, and whether a student for the data's classes would help."""

    problems: tuple[str, ...]
    wants_student: bool


def transfer_problems(spec: TransferSpec, images: Images | None) -> Problems:
    """As far as weights and data tell; `images` are one's own, once they are read."""
    classes, train = (images.classes, images.train) if images else ((), None)
    found = tuple(checks.problems(spec, classes=classes, train=train))
    return Problems(problems=found, wants_student=any(said == checks.misfit(spec, classes) for said in found))


def inspect(name: str, *, retry: bool = False) -> Inspection:
    """Ask what is in `folder:PATH` or `zip:PATH`, once; `retry` asks again where that failed."""
    found = find_inspection(name)
    if found is None or (retry and found.run.state in ("failed", "cancelled")):
        spec = InspectSpec(data=name)
        return Inspection(run=data.submit(spec.model_dump(mode="json")), images=None)
    return found


def find_inspection(name: str) -> Inspection | None:
    """What was asked for already, of images that have not changed since."""
    run = RunStore().find_same(InspectSpec(data=name), states=get_args(State))
    if run is None:
        return None
    if run.state != "done" or run.summary is None:
        return Inspection(run=run, images=None)
    counts = {split: sum(of_classes) for split, of_classes in run.summary["counts"].items()}
    images = Images(classes=tuple(run.summary["classes"]), remarks=tuple(run.summary["remarks"]), **counts)
    return Inspection(run=run, images=images)
