"""Train a network on images corrupted on the fly, severities 0 to 5: how a robust teacher comes to be (BIRD §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator

from bird_backend.corruptions import CORRUPTIONS
from bird_backend.experiments.declaration import DataRunSpec, Kind
from bird_backend.experiments.report import figures_report
from bird_backend.specs import CheckpointName, Evaluation, ModelRef, Training

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "RobustifySpec"]


class RobustifySpec(DataRunSpec):
    """The network, its data, its budget, and what it is to withstand."""

    kind: Literal["robustify"] = "robustify"
    model: ModelRef
    corruptions: tuple[str, ...] = tuple(name for name, facts in CORRUPTIONS.items() if not facts.held_out)
    training: Training = Training(lr=0.05)
    evaluation: Evaluation = Evaluation()
    save_as: CheckpointName | None = None

    @field_validator("corruptions")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("a robust teacher needs at least one corruption to train on")
        return tuple(CORRUPTIONS.find(name).name for name in dict.fromkeys(names))


def _execute(spec: RobustifySpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.robustify.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


DECLARES = Kind(
    name="robustify",
    place=30,
    label="Robust training",
    spec=RobustifySpec,
    title=lambda spec: f"Make {spec.model.model} robust on {spec.data}",
    report=figures_report,
    execute=_execute,
    shows=frozenset({"curves", "accuracy"}),
    makes_weights=True,
)
