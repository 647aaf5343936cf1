"""What every kind of run declares: its spec, how lists and pages name it, what they show of it, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bird_backend import catalog
from bird_backend.behaviours import USUAL, BehaviourField
from bird_backend.specs import DataName, Evaluation, ImageSize, Spec

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DataRunSpec", "Kind", "MeasuredRunSpec", "Report", "RunSpec", "Shown", "Summary"]

Shown = Literal["curves", "geometry", "accuracy", "layer-map", "gallery", "scores"]
"""What can be drawn of a run: metrics over steps; snapshots; predictions; CKA of layer pairs; pictures; teachers."""
Summary = Mapping[str, Any]


class RunSpec(Spec):
    """What every kind of run can be asked for. A kind's own spec has its name as `kind`."""

    kind: str
    title: str = Field(default="", max_length=120)
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")


class DataRunSpec(RunSpec):
    """A run on a data set."""

    data: DataName
    image_size: ImageSize = "auto"

    @property
    def known_image_size(self) -> int | None:
        """Pixels a side of the images, as far as names tell; none of one's own whose size is left to them."""
        if self.image_size != "auto":
            return self.image_size
        facts = catalog.torchvision_set(self.data) or catalog.known_dataset(self.data)
        return None if facts is None else facts.image_size


class MeasuredRunSpec(DataRunSpec):
    """A run whose networks are measured at its end: what they are to keep doing right, and on how many images."""

    behaviour: BehaviourField = Field(default=USUAL, validate_default=True)
    evaluation: Evaluation = Evaluation()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A run's result for a person: a table, then sentences; `settings` of the spec would say what had to be assumed."""

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of run, declared in the folder of its name."""

    name: str
    place: int
    label: str
    """As a list calls a run of this kind."""
    spec: type[RunSpec]
    title: Callable[[Any], str]
    """Says of a spec without a title what it is of."""
    report: Callable[[Summary], Report]
    execute: Callable[[Any, Work], dict[str, Any]]
    """Carries a spec out; returns the summary. It imports what it needs, torch among it, when it is called."""
    shows: frozenset[Shown] = frozenset()
    light: bool = False
    """Reads rather than trains, so it shares a device with a training run: a question never waits for hours."""
    answers_form: bool = False
    """Answers a form's question, so that it is no run that one goes back to."""
    recorded: bool = False
    """Written by someone else's training as it goes: nobody here can begin, stop or resume it."""
    makes_weights: bool = False
    """Trains one network, which can be kept under a name."""
