"""What a method declares, torch-free: its settings, what it needs and costs, and what its loss consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, model_validator

from bird_backend.specs import LayerPair, ModelRef, Spec, Training

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = [
    "FAMILIES",
    "Alpha",
    "Beta",
    "Entrant",
    "Family",
    "FormField",
    "MatchingSettings",
    "Method",
    "MethodSettings",
    "Part",
    "Role",
    "Setting",
    "Start",
    "StartingSettings",
    "Temperature",
    "WeighedSettings",
]

Start = Literal["auto", "student", "teacher"]
Family = Literal["Follow the teacher", "Go on from weights", "Floor and ceiling"]
FAMILIES: Mapping[Family, str] = {
    "Follow the teacher": "The student trains while it is held to what the frozen teacher makes of the same images.",
    "Go on from weights": "Nobody looks at the teacher; what it knows comes along where training starts from its "
    "weights.",
    "Floor and ceiling": "What all others lie between: no transfer at all, and training for the behaviour directly.",
}
"""Kinds of methods, and what they have in common."""
Role = Literal["contender", "floor", "reference", "ceiling"]
"""What a method is in a comparison: `floor` the untouched student, `reference` what gains are over, `ceiling` the
student trained for the behaviour directly. One method each but for contenders."""


@dataclass(frozen=True, kw_only=True)
class FormField:
    """How a form asks for a setting: metadata of the field in its settings class, in an `Annotated`."""

    label: str
    help: str = ""
    step: float = 0.05
    """Of a number; a tenth of the default where that is 10 or more."""
    words: Mapping[str, str] | None = None
    """How a list calls each of a setting's few values."""
    expert: bool = False
    """Stands among the expert options."""
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True
    """Whether it has a meaning beside the form's other choices, among them `more`, the further layer pairs."""


Alpha = Annotated[
    float, Field(ge=0), FormField(label="α, weight of the task loss", help="How much the student's own task counts.")
]
Beta = Annotated[
    float,
    Field(ge=0),
    FormField(label="β, weight of the method's loss", help="How hard the student is held to it; 0 is fine-tuning."),
]
Temperature = Annotated[
    float,
    Field(gt=0, le=100),
    FormField(label="Temperature", step=0.5, help="Outputs are softened by it before they are compared."),
]


class MethodSettings(Spec):
    """The part of a spec that says which method transfers. A method's own class has its name as `name`."""

    name: str


class WeighedSettings(MethodSettings):
    """`alpha` × task loss + `beta` × the method's own.

    Each method measures its own on a scale of its own, so one's `beta` says nothing about another's.
    """

    alpha: Alpha = 0.1
    beta: Beta = 0.9

    @model_validator(mode="after")
    def _something(self) -> WeighedSettings:
        if self.alpha == self.beta == 0:
            raise ValueError("alpha and beta are both 0, so there is nothing to minimise")
        return self


class MatchingSettings(WeighedSettings):
    """Its own loss is a weighted mean over layer pairs of how far the student is from the teacher."""

    pooling: Annotated[
        Literal["mean", "flatten"],
        FormField(
            label="Pooling",
            help="How a map or a row of tokens becomes one vector per image.",
            words={"mean": "Mean over places or tokens", "flatten": "Flatten: every place counts"},
            expert=True,
        ),
    ] = "mean"
    pairs: tuple[LayerPair, ...] = Field(min_length=1, max_length=16)


class StartingSettings(MethodSettings):
    """Begins with the student's own weights, or with the teacher's and a new head for the student's classes."""

    start: Start = "auto"
    """Auto: the teacher's where both networks are of one architecture, else the student's."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a method's loss beside the task's, on a scale of its own."""

    label: str
    explained: str
    """What it is, to follow the label and a comma."""


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A row of a comparison: a method with some of its settings fixed."""

    name: str
    title: str
    role: Role = "contender"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One of a method's settings that a form asks for."""

    default: Any
    options: tuple[str, ...]
    """Its values where they are few."""
    form: FormField


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way of transferring, declared in the folder of its name, whose file `loss` has the maths."""

    name: str
    place: int
    """In the order of a comparison's table."""
    title: str
    caption: str
    family: Family
    settings: type[MethodSettings]
    build: Callable[[Any, Networks], TransferMethod]
    """Of settings of its class; it imports the loss, and torch with it, when it is called."""
    role: Role = "contender"
    needs_teacher: bool = False
    """Looks at the teacher in every step."""
    needs_same_classes: bool = False
    """Compares outputs, so teacher and student have to tell the same classes apart."""
    needs_head: bool = False
    """Treats the last linear layer apart from the rest, so that there has to be one with nothing after it."""
    trains: bool = True
    under_conditions: bool = False
    """Trains on images brought under the conditions that an aligned teacher may train on, not on clean ones."""
    student_passes: int = 3
    """What a training step costs in forward passes of the student's network: a backward pass is two."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Of its loss, beside the task's, by their names in the metrics."""
    entrants: tuple[Entrant, ...] = ()
    """Its rows in a comparison, where it is more than one or settings are fixed there."""
    done: str = "fine-tuned"
    """What happens to the weights that it begins with."""
    check: Callable[[Any, ModelRef, ModelRef, Training, int | None], None] | None = None
    """Of settings, teacher, student, budget and the images' side in pixels, none where only they tell: an `InputError`
    where they can't go together."""
    remarks: Callable[[Any, Training], Iterable[str]] | None = None
    """What is worth knowing of settings and budget before they are launched, in whole sentences."""

    @property
    def matches_layers(self) -> bool:
        """Whether it compares layer pairs."""
        return issubclass(self.settings, MatchingSettings)

    @property
    def may_start_from_teacher(self) -> bool:
        """Whether it can begin with the teacher's weights and a new head."""
        return issubclass(self.settings, StartingSettings)

    @property
    def has_twin(self) -> bool:
        """Whether the reference, trained alike, is something to compare it with."""
        return self.role in ("contender", "ceiling")

    @property
    def rows(self) -> tuple[Entrant, ...]:
        """Its rows in a comparison."""
        return self.entrants or (Entrant(name=self.name, title=self.title, role=self.role),)

    @property
    def choices(self) -> Mapping[str, Setting]:
        """What a form asks for by name, layer pairs and start aside."""
        return {
            name: Setting(
                default=declared.default,
                options=tuple(get_args(declared.annotation)) if get_origin(declared.annotation) is Literal else (),
                form=form,
            )
            for name, declared in self.settings.model_fields.items()
            for form in declared.metadata
            if isinstance(form, FormField)
        }

    @property
    def usual_start(self) -> Start | None:
        """Whose weights it begins with where a spec doesn't say; none where there is no choice."""
        declared = self.settings.model_fields.get("start")
        return None if declared is None else declared.default

    def as_dict(self) -> dict[str, Any]:
        """Its facts, for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "family": self.family,
            "role": self.role,
            "needs_teacher": self.needs_teacher,
            "needs_same_classes": self.needs_same_classes,
            "matches_layers": self.matches_layers,
            "may_start_from_teacher": self.may_start_from_teacher,
            "trains": self.trains,
            "settings": {
                name: declared.default
                for name, declared in self.settings.model_fields.items()
                if name not in ("name", "pairs")
            },
        }
