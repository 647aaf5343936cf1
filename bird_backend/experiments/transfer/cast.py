"""Everyone in a transfer: the teacher, the student before it, and for each arm a student at its start."""

from __future__ import annotations

import torch
from torch import nn

from bird_backend.datasets import Dataset, normalise
from bird_backend.errors import InputError
from bird_backend.experiments.augmenting import clean
from bird_backend.experiments.networks import frozen, require_same_classes, trainable
from bird_backend.experiments.transfer import TransferSpec
from bird_backend.models import build_model
from bird_backend.models.anatomy import Anatomy, anatomy_of
from bird_backend.models.preprocessing import attach_preprocessing, preprocessing_of
from bird_backend.runs.checks import check_transfer
from bird_backend.seeds import derive_seed
from bird_backend.specs import LayerPair
from bird_backend.training import TransferMethod, prepare
from bird_backend.transfer import METHODS, MethodSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.frozen import FrozenNetwork

__all__ = ["Cast"]


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
        self.teacher_ref = teacher
        self.teacher = frozen(teacher, role="teacher", data=data, seed=spec.seed, device=device)
        self.before = self._own()
        self._student = anatomy_of(spec.student.model, self.before, data.image_size)
        theirs = anatomy_of(teacher.model, self.teacher, data.image_size)
        self.drawn = spec.drawn_pair or LayerPair(teacher=theirs.last, student=self._student.last)
        """The layer pair whose geometry is drawn."""
        self._check_layers(theirs)
        self._check_heads(teacher.weights)

    def _check_layers(self, teacher: Anatomy) -> None:
        """Those of the catalogue's networks were checked with the spec; it takes a network to know all others."""
        for pair in (self.drawn, *self._spec.pairs):
            teacher.find(pair.teacher)
            self._student.find(pair.student)

    def _check_heads(self, teacher: str | None) -> None:
        spec, method = self._spec, METHODS[self._spec.method.name]
        if method.needs_head:
            self._student.require_head(f"The method {method.title}")
        if spec.start == "teacher":
            self._student.require_head("Starting from the teacher with a new head")
        if not method.needs_same_classes:
            return
        images = self._data.validation.images[:2]
        with torch.no_grad():
            known, asked = self.teacher(normalise(images)).shape[1], len(self._data.classes)
        if known != asked:
            raise InputError(
                f"{method.title} need a teacher that tells the student's own classes apart; {teacher} knows"
                f" {known} and {spec.data} has {asked}, so choose another teacher or a method that compares layers."
            )

    def begin(self, method: MethodSettings) -> tuple[nn.Module, TransferMethod]:
        """A student at its start, and the method that trains it."""
        own = method == self._spec.method
        from_teacher = own and self._spec.start == "teacher"
        if own and self._spec.control == "same-alpha":
            method = method.model_copy(update={"beta": 0.0})
        student = self._of_teacher() if from_teacher else self._own()
        networks = Networks(
            teacher=FrozenNetwork(self.teacher, shuffled=self._spec.control == "shuffled-batch"),
            origin=FrozenNetwork(self.teacher if from_teacher else self.before),
            student=student,
            classifier=self._student.head or "",
            sample=clean(self._data.train, self._spec.training, self._spec.data).sample(student),
        )
        return student, build_method(method, networks, seed=derive_seed(self._spec.seed, "what the method learns"))

    def _own(self) -> nn.Module:
        return trainable(self._spec.student, self._data, self._spec.seed, self._device)

    def _of_teacher(self) -> nn.Module:
        """The teacher's every tensor but those of its head, which is drawn anew for the student's classes."""
        name, seed = self._spec.student.model, derive_seed(self._spec.seed, "new head")
        own = preprocessing_of(self.teacher)
        size = own.size if own is not None and own.size is not None else self._data.image_size
        student = build_model(name, classes=len(self._data.classes), seed=seed, image_size=size)
        head = f"{self._student.head}."
        body = {key: tensor for key, tensor in self.teacher.state_dict().items() if not key.startswith(head)}
        student.load_state_dict(student.state_dict() | body)
        if own is not None:
            attach_preprocessing(student, own)
        return prepare(student, self._device)
