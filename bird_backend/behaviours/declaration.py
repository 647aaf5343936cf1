"""What a behaviour declares: its conditions, its settings in a spec, what pages call things, who changes the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator

from bird_backend.errors import UnknownNameError
from bird_backend.registry import Registry
from bird_backend.specs.named import named
from bird_backend.specs.parts import Spec

if TYPE_CHECKING:
    from torch import Tensor

    from bird_backend.behaviours.trial import Given, Stored
    from bird_backend.datasets import Within

__all__ = [
    "BEHAVIOURS",
    "STRENGTHS",
    "USUAL",
    "Behaviour",
    "BehaviourField",
    "BehaviourSettings",
    "Condition",
    "Words",
]

USUAL = "corruptions"
"""The behaviour of BIRD's paper, meant where a spec names none."""
STRENGTHS = (1, 2, 3, 4, 5)
"""How strongly a condition can change an image; 0 leaves it as it is."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way in which images change. *Seen* ones may be trained on by an aligned teacher, held-out ones never."""

    name: str
    title: str
    caption: str
    family: str
    held_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Words:
    """What pages and reports call things, in lower case and the middle of a sentence."""

    condition: str
    conditions: str
    strength: str
    strengths: str
    changed: str
    """Of images: "corrupted"."""
    under: str
    """Of a measurement: "under corruption"."""
    how: str
    """A sentence for the page of results: what is done to the test images."""
    question: str
    """The title of the page that shows them."""
    note: str = ""
    """A further sentence beside results, where they need one."""


def _default_conditions(known: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(BEHAVIOURS.find(known["name"]).conditions)


class BehaviourSettings(Spec):
    """The part of a spec that says which behaviour is measured, under which conditions and how strongly.

    A behaviour with options of its own has a subclass with a field for each; forms show its title and description.
    """

    name: str
    conditions: tuple[str, ...] = Field(default_factory=_default_conditions)
    strengths: tuple[int, ...] = STRENGTHS

    @field_validator("conditions")
    @classmethod
    def _known(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        behaviour = BEHAVIOURS.find(info.data["name"])
        return tuple(behaviour.find(name).name for name in dict.fromkeys(names))

    @field_validator("strengths")
    @classmethod
    def _in_range(cls, strengths: tuple[int, ...]) -> tuple[int, ...]:
        if not strengths or any(strength not in STRENGTHS for strength in strengths):
            raise ValueError("strengths are whole numbers from 1 to 5, at least one")
        return tuple(sorted(set(strengths)))

    @property
    def behaviour(self) -> Behaviour:
        """What these are settings of."""
        return BEHAVIOURS.find(self.name)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A behaviour, declared in the folder of its name."""

    name: str
    place: int
    title: str
    caption: str
    words: Words
    list_conditions: Callable[[], Iterable[Condition]]
    apply: Callable[[Tensor, str, int, Given], Tensor]
    """Brings uint8 images [B,3,H,W] under a condition at a strength from 1 up, as new ones of the same kind and device.

    What it is given has the only source of chance. It imports what it needs, torch among it, when it is called.
    """
    settings: type[BehaviourSettings] = BehaviourSettings
    train: Callable[[Tensor, tuple[str, ...], Given], Tensor] | None = None
    """Changes a training batch, each image by one of the conditions at a strength from 0 to 5, both drawn for it alone.

    Where there is none, eight neighbours share a draw (`behaviours.drawing`).
    """
    stored: Callable[[Any, Tensor, int, Within | None], Stored | None] | None = None
    """Images on disk that are read in place of changing them, where the settings say so.

    Given the test labels [n], the images' side and, of a narrowed data set, where its test images are in the whole's.
    """
    measuring_passes: Callable[[Any], float] = lambda _: 0.0
    """Forward passes of the network that changing an image costs, by the settings, where a network is measured."""
    training_passes: Callable[[Any], float] = lambda _: 0.0
    """The same in training."""
    attacks: bool = False
    """Whether images depend on the network: then each network sees its own."""
    pooled: bool = False
    """Whether the reference implementation's pooled figure is defined: held-out conditions at strengths 0 to 5."""
    strengths_at: Callable[[int], str] = lambda _: ""
    """In a sentence, what strengths mean for images whose shorter side has so many pixels."""
    glance: tuple[str, ...] = ()
    """The conditions behind the small estimate of each epoch; none: all that are measured."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """By name, in order."""
        return {condition.name: condition for condition in self.list_conditions()}

    @property
    def seen(self) -> tuple[str, ...]:
        """What an aligned teacher and the ceiling train on."""
        return tuple(name for name, condition in self.conditions.items() if not condition.held_out)

    @property
    def held_out(self) -> tuple[str, ...]:
        """What nothing may train on."""
        return tuple(name for name, condition in self.conditions.items() if condition.held_out)

    def find(self, name: str) -> Condition:
        """The condition of that name; an unknown one is an `UnknownNameError` with the closest."""
        conditions = self.conditions
        if name not in conditions:
            raise UnknownNameError(self.words.condition, name, conditions)
        return conditions[name]


BEHAVIOURS: Registry[Behaviour] = Registry("behaviour", "bird_backend.behaviours")


def _named_or_usual(value: Any) -> Any:
    return {"name": USUAL, **value} if isinstance(value, Mapping) and "name" not in value else value


BehaviourField = Annotated[
    SerializeAsAny[BehaviourSettings],
    named(lambda name: BEHAVIOURS.find(name).settings),
    BeforeValidator(_named_or_usual),
]
"""A spec's part; a bare name is that behaviour with all its conditions and strengths, and no name the usual one."""
