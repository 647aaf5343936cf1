"""Train a network on clean data: how a student comes to be, or a teacher of nothing but its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bird_backend import catalog
from bird_backend.experiments.declaration import Kind, MeasuredRunSpec
from bird_backend.experiments.report import figures_report
from bird_backend.specs import ModelRef, Training, WeightsName

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "PretrainSpec"]


class PretrainSpec(MeasuredRunSpec):
    """The network, its data and its budget."""

    kind: Literal["pretrain"] = "pretrain"
    model: ModelRef
    training: Training = Training(lr=0.05)
    role: Literal["teacher", "student"] = "student"
    """What lists offer it as."""
    save_as: WeightsName | None = None


def _execute(spec: PretrainSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.pretrain.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


DECLARES = Kind(
    name="pretrain",
    place=20,
    label="Training",
    spec=PretrainSpec,
    title=lambda spec: f"Train {spec.model.network_title} on {catalog.title_of(spec.data)}",
    report=figures_report,
    execute=_execute,
    shows=frozenset({"curves", "accuracy"}),
    makes_weights=True,
)
