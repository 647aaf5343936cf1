"""Measure clean and robust accuracy of a network on a data set's test images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bird_backend import catalog
from bird_backend.experiments.declaration import Kind, MeasuredRunSpec
from bird_backend.experiments.report import figures_report
from bird_backend.specs import ModelRef

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "EvaluateSpec"]


class EvaluateSpec(MeasuredRunSpec):
    """The network and the data."""

    kind: Literal["evaluate"] = "evaluate"
    model: ModelRef


def _execute(spec: EvaluateSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.evaluate.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


DECLARES = Kind(
    name="evaluate",
    place=40,
    label="Evaluation",
    spec=EvaluateSpec,
    title=lambda spec: f"Evaluate {spec.model.title} on {catalog.title_of(spec.data)}",
    report=figures_report,
    execute=_execute,
    shows=frozenset({"accuracy"}),
    light=True,
)
