"""A transfer from top to bottom: who begins with which weights, the arms one after the other, and what came of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from bird_backend import catalog
from bird_backend.activations import Pooling
from bird_backend.corruptions import CORRUPTIONS
from bird_backend.datasets import Dataset
from bird_backend.errors import InputError, RunError
from bird_backend.evaluation import Geometry, Snapshotter, choose_probes, layer_features
from bird_backend.experiments.arm import Arm
from bird_backend.experiments.augmenting import clean, corrupting
from bird_backend.experiments.measuring import choose_source, measure
from bird_backend.experiments.networks import frozen, keep, provenance_of, require_same_classes, trainable
from bird_backend.experiments.summary import as_json, relative_figures
from bird_backend.measures import gain
from bird_backend.models import build_model, save_weights
from bird_backend.models.registry import find_architecture
from bird_backend.runs.checks import check_transfer
from bird_backend.runs.reading import SnapshotName
from bird_backend.runs.writing import RunWriter
from bird_backend.seeds import derive_seed
from bird_backend.specs import MatchingMethod, Method, OracleMethod, TransferSpec
from bird_backend.training import TransferMethod, prepare, steps_of, train
from bird_backend.transfer import FrozenNetwork, build_method

__all__ = ["Cast", "transfer"]


class Cast:
    """Everyone in a transfer: the teacher, the student before it, and for each arm a student at its start."""

    def __init__(self, spec: TransferSpec, data: Dataset, device: torch.device) -> None:
        """A network that can't play its part is an `InputError`."""
        require_same_classes(spec.student, data)
        check_transfer(spec, data.classes)
        self._spec, self._data, self._device = spec, data, device
        teacher = spec.teacher
        if spec.control == "random-weights":
            teacher = teacher.model_copy(update={"weights": None})
        self.teacher = frozen(teacher, role="teacher", classes=len(data.classes), seed=spec.seed, device=device)
        self.before = self._own()
        facts, head = catalog.find_method(spec.method.name), find_architecture(teacher.model).classifier
        known, asked = len(self.teacher.get_parameter(f"{head}.bias")), len(data.classes)
        if facts.needs_same_classes and known != asked:
            raise InputError(
                f"{facts.title} need a teacher that tells the student's own classes apart; {teacher.weights} knows"
                f" {known} and {spec.data} has {asked}, so choose another teacher or a method that compares layers."
            )

    def begin(self, method: Method) -> tuple[nn.Module, TransferMethod]:
        """A student at its start, and the method that trains it."""
        from_teacher = method == self._spec.method and self._spec.start == "teacher"
        student = self._of_teacher() if from_teacher else self._own()
        built = build_method(
            method,
            teacher=FrozenNetwork(self.teacher, shuffled=self._spec.control == "shuffled-batch"),
            origin=FrozenNetwork(self.teacher if from_teacher else self.before),
            student=student,
            classifier=find_architecture(self._spec.student.model).classifier,
            seed=derive_seed(self._spec.seed, "what the method learns"),
        )
        return student, built

    def _own(self) -> nn.Module:
        return trainable(self._spec.student, self._data, self._spec.seed, self._device)

    def _of_teacher(self) -> nn.Module:
        """The teacher's every tensor but those of its head, which is drawn anew for the student's classes."""
        name, seed = self._spec.student.model, derive_seed(self._spec.seed, "new head")
        student = build_model(name, classes=len(self._data.classes), seed=seed)
        head = f"{find_architecture(name).classifier}."
        body = {key: tensor for key, tensor in self.teacher.state_dict().items() if not key.startswith(head)}
        student.load_state_dict(student.state_dict() | body)
        return prepare(student, self._device)


def transfer(spec: TransferSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    """Train each arm, measure all of them on the same test images, and sum it up."""
    steps_of(len(data.train), spec.training)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    cast = Cast(spec, data, device)
    students: dict[str, nn.Module] = {"before": cast.before}

    pair = spec.drawn_pair
    pooling: Pooling = spec.method.pooling if isinstance(spec.method, MatchingMethod) else "mean"
    probes = choose_probes(data, embedding=spec.snapshots.embedding_images, gram=spec.snapshots.gram_images)
    guiding = layer_features(cast.teacher, probes.images, (pair.teacher,), pooling)[pair.teacher]
    writer.save_arrays("probes.npz", probes.arrays())
    teacher_drawing = Snapshotter(probes, guiding, layer=pair.teacher, pooling=pooling).arrays(guiding)
    writer.save_arrays(SnapshotName("teacher", 0).file, teacher_drawing)
    # Its first drawing fixes the axes of the projection, so it is of the untouched student, in a resumed run too.
    snapshotter = Snapshotter(probes, guiding, layer=pair.student, pooling=pooling)
    geometry: dict[str, Geometry] = {"before": _geometry(snapshotter, students["before"])}

    images_per_second = 0.0
    for method in spec.arms:
        student, built = cast.begin(method)
        arm = Arm(
            method.name,
            student,
            data,
            writer,
            snapshotter=snapshotter,
            snapshots=spec.snapshots.count,
            corruptions=spec.evaluation.corruptions,
        )
        writer.begin(f"Training with {catalog.find_method(method.name).title}", 0.8 / len(spec.arms))
        train(
            student,
            built,
            data.train,
            spec.training,
            seed=spec.seed,
            transform=corrupting(spec.training, _SEEN) if isinstance(method, OracleMethod) else clean(spec.training),
            observer=arm,
            checkpoint=arm.checkpoint,
        )
        students[method.name] = student
        geometry[method.name] = _geometry(snapshotter, student)
        images_per_second = images_per_second or arm.images_per_second

    predictions = measure(students, data, spec.evaluation, source, writer)
    provenance = {
        name: provenance_of(spec, data, predictions, name, role="student", model=spec.student.model)
        for name in students
    }
    for method in spec.arms:
        save_weights(
            writer.artifact(f"student-{method.name}.safetensors"), students[method.name], provenance[method.name]
        )

    # Where nothing is trained, the student after is the student before.
    after = spec.method.name if spec.arms else "before"
    twin = "fine-tuning" if len(spec.arms) > 1 else None
    names = spec.evaluation.corruptions
    keys = {"before": "before", **({twin: twin} if twin else {}), "after": after}
    return {
        "method": spec.method.name,
        "start": spec.start,
        "control": spec.control,
        "n_test": predictions.n,
        **relative_figures(predictions, keys),
        "gain_over_before": as_json(gain(predictions, after, "before", names)),
        "gain_over_fine_tuning": as_json(gain(predictions, after, twin, names)) if twin else None,
        "cka_before": geometry["before"].cka,
        "cka_after": geometry[after].cka,
        "cka": {key: {"value": geometry[name].cka, "null": geometry[name].null} for key, name in keys.items()},
        "cka_n": geometry["before"].n,
        "cka_estimator": "debiased",
        "images_per_second": images_per_second,
        "checkpoint": keep(spec.save_as, students[after], provenance[after]),
    }


_SEEN = tuple(name for name, facts in CORRUPTIONS.items() if not facts.held_out)


def _geometry(snapshotter: Snapshotter, student: nn.Module) -> Geometry:
    drawn = snapshotter.draw(student)
    if drawn is None:
        raise RunError("The student's features at its guided layer are not finite numbers, so it has no geometry.")
    return drawn[0]
