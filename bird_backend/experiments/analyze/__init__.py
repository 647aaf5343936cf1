"""CKA of every teacher layer with every student layer on validation images: which layers could be aligned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bird_backend import catalog
from bird_backend.experiments.declaration import DataRunSpec, Kind, Report, Summary
from bird_backend.specs import ModelRef

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "AnalyzeSpec"]


class AnalyzeSpec(DataRunSpec):
    """The two networks, the data, and how similarity is estimated."""

    kind: Literal["analyze"] = "analyze"
    teacher: ModelRef
    student: ModelRef
    images: int = Field(default=512, ge=16, le=4096)
    estimator: Literal["biased", "debiased"] = "debiased"
    kernel: Literal["linear", "rbf"] = "linear"


def _execute(spec: AnalyzeSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.analyze.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _report(summary: Summary) -> Report:
    best = summary["closest_pair"]
    return Report(
        lines=(
            f"Closest: teacher {best['teacher']}, student {best['student']}, CKA {best['cka']:.3f}"
            f" ({summary['estimator']}, {summary['kernel']}, n = {summary['n']})",
        )
    )


DECLARES = Kind(
    name="analyze",
    place=50,
    label="Layer map",
    spec=AnalyzeSpec,
    title=lambda spec: f"Layers of {spec.teacher.title} and {spec.student.title} on {catalog.title_of(spec.data)}",
    report=_report,
    execute=_execute,
    shows=frozenset({"layer-map"}),
    light=True,
    answers_form=True,
)
