"""Train a network under a behaviour's seen conditions, at strengths 0 to 5: how a teacher comes to be (BIRD §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.experiments.declaration import Kind, MeasuredRunSpec
from bird_backend.experiments.report import figures_report
from bird_backend.specs import ModelRef, Training, WeightsName

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "RobustifySpec"]


class RobustifySpec(MeasuredRunSpec):
    """The network, its data, its budget, and what it is to withstand."""

    kind: Literal["robustify"] = "robustify"
    model: ModelRef
    train_conditions: tuple[str, ...] = Field(default_factory=lambda known: known["behaviour"].behaviour.seen)
    """Of the behaviour's seen conditions, by default all; held-out ones are for measuring alone."""
    training: Training = Training(lr=0.05)
    save_as: WeightsName | None = None

    @field_validator("train_conditions")
    @classmethod
    def _seen(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "behaviour" not in info.data:
            return names  # what is wrong there is said there
        behaviour = info.data["behaviour"].behaviour
        if not names:
            raise ValueError(f"a robust teacher needs at least one {behaviour.words.condition} to train on")
        for name in names:
            if behaviour.find(name).held_out:
                raise InputError(
                    f"{behaviour.find(name).title} is held out: it shows whether robustness carries over, so nothing"
                    f" may be trained on it; train on {', '.join(behaviour.seen)}."
                )
        return tuple(dict.fromkeys(names))


def _execute(spec: RobustifySpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.robustify.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


DECLARES = Kind(
    name="robustify",
    place=30,
    label="Robust training",
    spec=RobustifySpec,
    title=lambda spec: f"Make {spec.model.network_title} robust on {catalog.title_of(spec.data)}",
    report=figures_report,
    execute=_execute,
    shows=frozenset({"curves", "accuracy"}),
    makes_weights=True,
)
