"""What only weights' files can tell: whether a teacher is another network, knows the classes, saw what is held out."""

from __future__ import annotations

from bird_backend import catalog
from bird_backend.behaviours import BehaviourSettings
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.transfer import METHODS

__all__ = ["check_held_out", "check_transfer"]


def check_transfer(spec: TransferSpec, classes: tuple[str, ...] = ()) -> None:
    """An `InputError` where this transfer can't be, as far as headers tell; `classes` are the data's, once known."""
    teacher, student = spec.teacher, spec.student
    for ref in (teacher, student):
        check_held_out(ref.weights, spec.behaviour)
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


def check_held_out(weights: str | None, settings: BehaviourSettings) -> None:
    """An `InputError` where the recipe of these weights has them trained on what is measured as held out."""
    origin = None if weights is None else read_provenance(find_weights(weights))
    if origin is None:
        return
    behaviour = settings.behaviour
    measured, trained = origin.recipe.get("behaviour"), origin.recipe.get("train_conditions")
    if not isinstance(measured, dict) or measured.get("name") != behaviour.name or not isinstance(trained, list):
        return
    if known := [name for name in behaviour.held_out if name in trained and name in settings.conditions]:
        raise InputError(
            f"{weights} was trained on {', '.join(known)}, which {'is' if len(known) == 1 else 'are'} held out: choose"
            f" other weights, or leave {'it' if len(known) == 1 else 'them'} out of behaviour.conditions."
        )
