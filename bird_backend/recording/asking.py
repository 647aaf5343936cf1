"""What a recording is asked for, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from bird_backend.activations import Pooling
from bird_backend.experiments import RecordSpec, load_spec
from bird_backend.recording.drawing import Drawing
from bird_backend.recording.recording import Recording
from bird_backend.recording.seeing import Transform, read_images
from bird_backend.transfer.bird.catching import bare

__all__ = ["record"]


def record(
    name: str,
    *,
    student: nn.Module | None = None,
    teacher: nn.Module | None = None,
    layers: tuple[str, str] | None = None,
    probes: tuple[Any, Any] | None = None,
    classes: Sequence[str] | None = None,
    transform: Transform | None = None,
    teacher_transform: Transform | None = None,
    pooling: Pooling = "mean",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    steps: int | None = None,
    steps_per_epoch: int | None = None,
) -> Recording:
    """A recording to be used in a `with` statement, which makes it a run of that name.

    For snapshots it needs both networks, `layers` (the teacher's and the student's module path) and `probes`, some
    images [N,3,H,W] that neither trains on and their labels [N]; `transform` makes images of numbers from 0 to 1 ready
    for the student, `teacher_transform` for the teacher. `settings` and `seed` are kept with the run: runs of one name
    and settings that differ in the seed are averaged over. `steps`, the whole number of them, makes a progress bar,
    `steps_per_epoch` an axis of epochs. In a distributed training the process of rank 0 records, and all others don't.
    """
    document = {
        "kind": "record",
        "name": name,
        "teacher": None if teacher is None else type(bare(teacher)).__name__,
        "student": None if student is None else type(bare(student)).__name__,
        "layers": None if layers is None else {"teacher": layers[0], "student": layers[1]},
        "settings": dict(settings or {}),
        "seed": seed,
        "steps": steps,
    }
    spec = load_spec(document)
    assert isinstance(spec, RecordSpec)  # noqa: S101 - for the type checker
    drawing = None
    if student is not None and teacher is not None and layers is not None and probes is not None:
        drawing = Drawing(
            student=student,
            teacher=teacher,
            layers=layers,
            probes=read_images(*probes, classes, "probes"),
            transforms=(transform, teacher_transform),
            pooling=pooling,
        )
    return Recording(spec, student=student, drawing=drawing, transform=transform, steps_per_epoch=steps_per_epoch)
