"""What is wrong with a transfer that its spec alone can't tell: what weights know, what the data has, what is there.

The form says all of it before anything is launched; asking for a run, planning a study and the run itself stop at the
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bird_backend import catalog, settings
from bird_backend.behaviours import BehaviourSettings
from bird_backend.catalog import title_of
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import KINDS, TransferSpec
from bird_backend.runs.forks import check_fork
from bird_backend.runs.networks import image_size_of, network_facts
from bird_backend.runs.provenance import Provenance, find_weights, list_weights, read_provenance
from bird_backend.runs.uploads import brought_images
from bird_backend.sources import require_network
from bird_backend.specs import ModelRef
from bird_backend.transfer import METHODS

__all__ = ["check_data", "check_held_out", "check_kind", "check_transfer", "misfit", "problems"]


def check_kind(kind: str) -> None:
    """An `InputError` for a kind of run that nobody here can begin, stop or resume."""
    if KINDS[kind].recorded:
        raise InputError(
            f"A run of kind {kind} is written by a training of one's own, with bird_backend.record: it can't be begun,"
            " stopped or resumed from here."
        )


def check_transfer(spec: TransferSpec, classes: tuple[str, ...] = ()) -> None:
    """An `InputError` where this transfer can't be, as far as headers tell; `classes` are the data's, once known."""
    for check in _CHECKS:
        check(spec, classes or _catalogued(spec.data))


def check_data(spec: TransferSpec, train: int | None = None) -> None:
    """An `InputError` where the data can't be read or is too little; `train` is its training images, once known."""
    facts, batch = catalog.known_dataset(spec.data), spec.training.batch_size
    train = facts.train if train is None and facts is not None else train
    if train is not None and batch > train:
        raise InputError(
            f"A batch of {batch:,} is larger than the {train:,} training images of {title_of(spec.data)}; choose a"
            " smaller one."
        )
    kind, path = catalog.own_path(spec.data) or ("", "")
    if kind == "upload":
        brought_images(path)
    elif facts is None and settings.found(path) is None:
        raise InputError(f"There is nothing at {path}, where the spec's data should be.")
    for field in spec.behaviour.reads:
        folder = getattr(spec.behaviour, field)
        if folder is not None and ((there := settings.found(folder)) is None or not there.is_dir()):
            raise InputError(f"There is no folder {folder}, which behaviour.{field} names.")


def problems(spec: TransferSpec, *, classes: tuple[str, ...] = (), train: int | None = None) -> Iterator[str]:
    """Each of them in a sentence; `classes` and `train` are of one's own images, once they are read."""
    known = classes or _catalogued(spec.data)
    for check in (lambda spec, _: check_data(spec, train), lambda spec, _: check_fork(spec), *_CHECKS):
        try:
            check(spec, known)
        except InputError as error:
            yield str(error)


def misfit(spec: TransferSpec, classes: tuple[str, ...] = ()) -> str | None:
    """Why the student is not for the data's classes, and which ones would be; none where it fits or nobody knows."""
    made, known = _provenance(spec.student), classes or _catalogued(spec.data)
    if not known or made is None or len(made.classes) == len(known):
        return None
    fitting = [found.name for found in list_weights() if found.provenance and found.provenance.classes == known]
    advice = f"these fit: {', '.join(fitting)}" if fitting else f"choose one that was trained on {title_of(spec.data)}"
    return (
        f"The student {spec.student.weights} tells {len(made.classes)} classes apart and {title_of(spec.data)} has"
        f" {len(known)}; {advice}."
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


def _check_networks(spec: TransferSpec, _classes: tuple[str, ...]) -> None:
    for ref in (spec.teacher, spec.student):
        made = _provenance(ref)
        if made is not None and made.model != ref.model:
            raise InputError(f"The weights {ref.weights} are for {made.model}, not for {ref.model}.")


def _check_conditions(spec: TransferSpec, _classes: tuple[str, ...]) -> None:
    for ref in (spec.teacher, spec.student):
        check_held_out(ref.weights, spec.behaviour)


def _check_student(spec: TransferSpec, classes: tuple[str, ...]) -> None:
    if (said := misfit(spec, classes)) is not None:
        raise InputError(said)


def _check_teacher(spec: TransferSpec, classes: tuple[str, ...]) -> None:
    teacher, student = spec.teacher, spec.student
    if teacher.weights is None or spec.control == "random-weights":
        return
    path = find_weights(teacher.weights)
    if student.weights is not None and path.resolve() == find_weights(student.weights).resolve():
        raise InputError(
            f"Teacher and student are the same network with the same weights, {path.name},"
            " so there is nothing to transfer; choose another teacher."
        )
    method, made = METHODS[spec.method.name], read_provenance(path)
    if method.needs_same_classes and made is not None and classes and made.classes != classes:
        raise InputError(
            f"{method.title} need a teacher that tells the student's own classes apart; {teacher.weights} knows the"
            f" {len(made.classes)} classes of {title_of(made.data)}, not those of {title_of(spec.data)}, so choose"
            " another teacher or a method that compares layers."
        )


def _check_sources(spec: TransferSpec, _classes: tuple[str, ...]) -> None:
    """Networks that can't be had here, and layers that one doesn't have, where it has been examined."""
    pairs = [pair for pair in (spec.drawn_pair, *spec.pairs) if pair is not None]
    for ref, layers in (
        (spec.teacher, [pair.teacher for pair in pairs]),
        (spec.student, [pair.student for pair in pairs]),
    ):
        if ref.model in catalog.models():
            continue
        require_network(ref.model)
        facts = network_facts(ref, image_size_of(spec))
        known = [each.name for each in facts.layers] if facts is not None else layers
        for layer in layers:
            if layer not in known:
                raise UnknownNameError(f"layer of {ref.model}", layer, known)


_CHECKS: tuple[Callable[[TransferSpec, tuple[str, ...]], None], ...] = (
    _check_sources,
    _check_networks,
    _check_conditions,
    _check_student,
    _check_teacher,
)


def _catalogued(data: str) -> tuple[str, ...]:
    facts = catalog.known_dataset(data)
    return () if facts is None else facts.classes


def _provenance(ref: ModelRef) -> Provenance | None:
    return None if ref.weights is None else read_provenance(find_weights(ref.weights))
