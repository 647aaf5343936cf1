"""What only the weights' files can tell of a transfer: that its teacher is another network, or knows the classes."""

from __future__ import annotations

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.transfer import METHODS

__all__ = ["check_transfer"]


def check_transfer(spec: TransferSpec, classes: tuple[str, ...] = ()) -> None:
    """An `InputError` where this transfer can't be, as far as headers tell; `classes` are the data's, once known."""
    teacher, student = spec.teacher, spec.student
    if teacher.weights is None or spec.control == "random-weights":
        return
    path = find_weights(teacher.weights)
    if student.weights is not None and path.resolve() == find_weights(student.weights).resolve():
        raise InputError(
            f"Teacher and student are the same network with the same weights, {path.name},"
            " so there is nothing to transfer; choose another teacher."
        )
    method = METHODS[spec.method.name]
    origin = read_provenance(path)
    known = classes or (catalog.DATASETS[spec.data].classes if spec.data in catalog.DATASETS else ())
    if method.needs_same_classes and origin is not None and known and origin.classes != known:
        raise InputError(
            f"{method.title} need a teacher that tells the student's own classes apart; {teacher.weights} knows the"
            f" {len(origin.classes)} classes of {origin.data}, not those of {spec.data}, so choose another teacher or a"
            " method that compares layers."
        )
