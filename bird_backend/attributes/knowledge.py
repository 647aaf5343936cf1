"""What a teacher's layer knows of the student's images: how often a probe is right, and where the student's isn't."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bird_backend.errors import InputError
from bird_backend.measures import Interval, wilson

__all__ = ["complementary_knowledge", "complementary_rows", "probe_accuracy"]

Answers = npt.NDArray[np.integer]
"""[n]: the class that a probe says of each held-out image."""


def probe_accuracy(predicted: Answers, labels: Answers) -> Interval:
    """The share of held-out images [n] that a probe gets right; none are an `InputError`."""
    _check(predicted, labels)
    return wilson(int((predicted == labels).sum()), len(labels))


def complementary_knowledge(teacher: Answers, student: Answers, labels: Answers) -> Interval:
    """The share of held-out images [n] that the teacher's probe gets right and the student's own gets wrong."""
    return wilson(len(complementary_rows(teacher, student, labels)), len(labels))


def complementary_rows(teacher: Answers, student: Answers, labels: Answers) -> npt.NDArray[np.int64]:
    """Which of the held-out images those are, ascending."""
    _check(teacher, labels)
    _check(student, labels)
    return np.flatnonzero((teacher == labels) & (student != labels))


def _check(predicted: Answers, labels: Answers) -> None:
    if len(labels) == 0:
        raise InputError("There is no held-out image to try a probe on.")
    if predicted.shape != labels.shape:
        raise InputError(f"{len(predicted)} answers are not those of {len(labels)} images.")
