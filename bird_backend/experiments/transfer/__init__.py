"""Move a behaviour from a frozen teacher into a student, on the student's own data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.experiments.declaration import DataRunSpec, Kind
from bird_backend.experiments.report import figures_report
from bird_backend.specs import (
    CheckpointName,
    Evaluation,
    FineTuningMethod,
    HintsMethod,
    LayerPair,
    MatchingMethod,
    Method,
    ModelRef,
    RelationalMethod,
    Snapshots,
    SoftLabelsMethod,
    StartingMethod,
    Training,
    UntouchedMethod,
)

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "TransferSpec"]

_MOST_WEIGHTS = 2**26
_MOST_TRIPLED = 512


class TransferSpec(DataRunSpec):
    """Move a behaviour from a frozen teacher into a student, on the student's own data."""

    kind: Literal["transfer"] = "transfer"
    teacher: ModelRef
    student: ModelRef
    method: Method
    control: Literal["none", "random-weights", "shuffled-batch"] = "none"
    """A teacher that can teach nothing: of the same architecture with random weights, or looking at other images."""
    training: Training = Training()
    baseline: bool = True
    """Also fine-tune the same student with the same seed, batches and budget, so that a gain has something to beat."""
    evaluation: Evaluation = Evaluation()
    snapshots: Snapshots = Snapshots()
    drawn: LayerPair | None = None
    """For methods without layer pairs: whose geometry is drawn and whose CKA is measured, to compare with others."""
    save_as: CheckpointName | None = None

    @model_validator(mode="after")
    def _possible(self) -> TransferSpec:
        pairs = self.method.pairs if isinstance(self.method, MatchingMethod) else ()
        for pair in (*pairs, *((self.drawn,) if self.drawn else ())):
            catalog.find_layer(self.teacher.model, pair.teacher)
            catalog.find_layer(self.student.model, pair.student)
        if isinstance(self.method, MatchingMethod | SoftLabelsMethod) and self.method.alpha == self.method.beta == 0:
            raise ValueError("alpha and beta are both 0, so there is nothing to minimise")
        if self.teacher == self.student and self.teacher.weights is not None and self.control != "random-weights":
            raise InputError(
                f"Teacher and student are the same network with the same weights, {self.teacher.weights},"
                " so there is nothing to transfer; choose another teacher."
            )
        self._check_start()
        self._check_control()
        self._check_projections()
        self._check_triples()
        return self

    def _check_start(self) -> None:
        wanted = self.method.start if isinstance(self.method, StartingMethod) else "student"
        if wanted == "teacher" and self.teacher.model != self.student.model:
            raise InputError(
                f"Starting from the teacher needs one architecture; the teacher is {self.teacher.model} and the student"
                f" {self.student.model}, so start from the student."
            )

    def _check_control(self) -> None:
        facts = catalog.find_method(self.method.name)
        if self.control != "none" and not facts.needs_teacher:
            able = ", ".join(name for name, facts in catalog.METHODS.items() if facts.needs_teacher)
            raise InputError(
                f"The control {self.control} is for methods that look at the teacher as they train ({able}),"
                f" which {facts.title} does not."
            )

    def _check_projections(self) -> None:
        if not isinstance(self.method, HintsMethod) or self.method.pooling != "flatten":
            return
        for pair in self.method.pairs:
            theirs = catalog.find_layer(self.teacher.model, pair.teacher).shape
            own = catalog.find_layer(self.student.model, pair.student).shape
            named = f"{pair.teacher} {list(theirs)} and {pair.student} {list(own)}"
            if len(theirs) != len(own):
                raise InputError(
                    f"A projection between {named} is between shapes of different rank, where flattened positions mean"
                    " different things; use pooling mean."
                )
            if (weights := math.prod(theirs) * math.prod(own)) > _MOST_WEIGHTS:
                raise InputError(
                    f"A projection between {named} flattened would have {weights:,} weights, more than the"
                    f" {_MOST_WEIGHTS:,} allowed; use pooling mean."
                )

    def _check_triples(self) -> None:
        if isinstance(self.method, RelationalMethod) and self.training.batch_size > _MOST_TRIPLED:
            raise InputError(
                f"RKD compares every three images of a batch, too many of {self.training.batch_size};"
                f" make the batch {_MOST_TRIPLED} or less."
            )

    @property
    def start(self) -> Literal["teacher", "student"]:
        """Whose weights the method begins with."""
        if not isinstance(self.method, StartingMethod) or self.teacher.model != self.student.model:
            return "student"
        return "student" if self.method.start == "student" else "teacher"

    @property
    def arms(self) -> tuple[Method, ...]:
        """What is trained, in order: the method, and fine-tuning to beat, unless that is the method itself."""
        if isinstance(self.method, UntouchedMethod):
            return ()
        if self.baseline and not isinstance(self.method, FineTuningMethod):
            return self.method, FineTuningMethod()
        return (self.method,)

    @property
    def drawn_pair(self) -> LayerPair:
        """The layer pair whose geometry is drawn: the method's first, else `drawn`, else each network's last layer."""
        if isinstance(self.method, MatchingMethod):
            return self.method.pairs[0]
        if self.drawn is not None:
            return self.drawn
        teacher, student = catalog.find_model(self.teacher.model), catalog.find_model(self.student.model)
        return LayerPair(teacher=teacher.layers[-1].name, student=student.layers[-1].name)


def _execute(spec: TransferSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.transfer.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


DECLARES = Kind(
    name="transfer",
    place=10,
    label="Transfer",
    spec=TransferSpec,
    title=lambda spec: f"{spec.teacher.model} → {spec.student.model} on {spec.data}",
    report=figures_report,
    execute=_execute,
    shows=frozenset({"curves", "geometry", "accuracy"}),
)
