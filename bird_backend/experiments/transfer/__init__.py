"""Move a behaviour from a frozen teacher into a student, on the student's own data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.experiments.declaration import Kind, MeasuredRunSpec
from bird_backend.experiments.report import figures_report
from bird_backend.specs import CONTROLS, ControlName, Fork, LayerPair, ModelRef, Snapshots, Training, WeightsName
from bird_backend.transfer import (
    METHODS,
    MatchingSettings,
    MethodField,
    MethodSettings,
    StartingSettings,
    reference_method,
)

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "TransferSpec"]


class TransferSpec(MeasuredRunSpec):
    """Move a behaviour from a frozen teacher into a student, on the student's own data."""

    kind: Literal["transfer"] = "transfer"
    teacher: ModelRef
    student: ModelRef
    method: MethodField
    control: ControlName = "none"
    """A teacher that can teach nothing, of random weights or looking at other images; or the task's loss alone."""
    training: Training = Training()
    baseline: bool = True
    """Also fine-tune the same student with the same seed, batches and budget, so that a gain has something to beat."""
    snapshots: Snapshots = Snapshots()
    drawn: LayerPair | None = None
    """For methods without layer pairs: whose geometry is drawn and whose CKA is measured, to compare with others."""
    save_as: WeightsName | None = None
    fork: Fork | None = None
    """Another run's checkpoint that this one goes on from, with its own settings from there."""

    @model_validator(mode="after")
    def _possible(self) -> TransferSpec:
        for pair in (*self.pairs, *((self.drawn,) if self.drawn else ())):
            for ref, layer in ((self.teacher, pair.teacher), (self.student, pair.student)):
                if ref.model in catalog.models():  # of all others the run itself knows the layers
                    catalog.find_layer(ref.model, layer)
        if self.teacher == self.student and self.teacher.weights is not None and self.control != "random-weights":
            raise InputError(
                f"Teacher and student are the same network with the same weights, {self.teacher.weights},"
                " so there is nothing to transfer; choose another teacher."
            )
        self._check_start()
        self._check_control()
        if (check := METHODS[self.method.name].check) is not None:
            check(self.method, self.teacher, self.student, self.training, self.known_image_size)
        return self

    def _check_start(self) -> None:
        wanted = self.method.start if isinstance(self.method, StartingSettings) else "student"
        if wanted == "teacher" and self.teacher.model != self.student.model:
            raise InputError(
                f"Starting from the teacher needs one architecture; the teacher is {self.teacher.network_title} and the"
                f" student {self.student.network_title}, so start from the student."
            )

    def _check_control(self) -> None:
        method = METHODS[self.method.name]
        if self.control != "none" and not method.needs_teacher:
            able = ", ".join(other.name for other in METHODS.values() if other.needs_teacher)
            raise InputError(
                f"The control {self.control} is for methods that look at the teacher as they train ({able}),"
                f" which {method.title} does not."
            )
        if self.control == "same-alpha" and getattr(self.method, "alpha", 0) == 0:
            raise InputError("The control same-alpha trains with the task's loss alone, and here alpha is 0.")

    @property
    def start(self) -> Literal["teacher", "student"]:
        """Whose weights the method begins with."""
        if not isinstance(self.method, StartingSettings) or self.teacher.model != self.student.model:
            return "student"
        return "student" if self.method.start == "student" else "teacher"

    @property
    def arms(self) -> tuple[MethodSettings, ...]:
        """What is trained, in order: the method, and fine-tuning to beat, unless that is the method itself."""
        method, reference = METHODS[self.method.name], reference_method()
        if not method.trains:
            return ()
        twin = (reference.settings(name=reference.name),) if self.baseline and method.has_twin else ()
        return self.method, *twin

    @property
    def pairs(self) -> tuple[LayerPair, ...]:
        """The layer pairs that the method compares; none where it compares no layers."""
        return self.method.pairs if isinstance(self.method, MatchingSettings) else ()

    @property
    def drawn_pair(self) -> LayerPair | None:
        """The layer pair whose geometry is drawn: the method's first, else `drawn`, else each network's last layer.

        None where nothing names it and only the run finds the layers of a network: then it is the last block of each.
        """
        if self.pairs:
            return self.pairs[0]
        if self.drawn is not None:
            return self.drawn
        known = [catalog.models().get(ref.model) for ref in (self.teacher, self.student)]
        teacher, student = (None if facts is None else facts.layers[-1].name for facts in known)
        return None if teacher is None or student is None else LayerPair(teacher=teacher, student=student)


def _execute(spec: TransferSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.transfer.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _title(spec: TransferSpec) -> str:
    method = METHODS[spec.method.name]
    control = f", {CONTROLS[spec.control].label}" if spec.control in CONTROLS else ""
    learns_from = f"{spec.teacher.title} → " if method.needs_teacher or spec.start == "teacher" else ""
    forked = "" if spec.fork is None else f", forked at step {spec.fork.step:,}"
    return f"{method.title}{control}: {learns_from}{spec.student.title} on {catalog.title_of(spec.data)}{forked}"


DECLARES = Kind(
    name="transfer",
    place=10,
    label="Transfer",
    spec=TransferSpec,
    title=_title,
    report=figures_report,
    execute=_execute,
    shows=frozenset({"curves", "geometry", "accuracy"}),
)
