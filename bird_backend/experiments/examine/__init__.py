"""Build a network and look at it: its parameters, multiply-adds and layers, and what to know before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bird_backend.experiments.declaration import Kind, Report, RunSpec, Summary
from bird_backend.specs import ModelRef

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "ExamineSpec"]


class ExamineSpec(RunSpec):
    """The network, and the images that it is to see. One that isn't the catalogue's nobody knows until it is built."""

    kind: Literal["examine"] = "examine"
    model: ModelRef
    image_size: int = Field(default=32, ge=16, le=512, multiple_of=8)
    classes: int | None = Field(default=None, ge=2, le=100_000)
    """None: as many as the weights tell apart, and ten without weights."""


def _execute(spec: ExamineSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.examine.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _report(summary: Summary) -> Report:
    size = summary["image_size"]
    rows = tuple(
        (layer["name"], "×".join(map(str, layer["shape"])), layer["kind"])
        for layer in summary["layers"]
        if layer["outline"]
    )
    facts = (
        f"{summary['title']}: {summary['parameters']:,} parameters, {summary['multiply_adds']:,} multiply-adds for an"
        f" image of {size}×{size} pixels, {summary['classes']} classes, {len(summary['layers'])} layers, of which"
        f" {len(rows)} stand for it"
    )
    return Report(header=("layer", "shape", ""), rows=rows, lines=(facts, *summary["problems"]))


DECLARES = Kind(
    name="examine",
    place=56,
    label="Network",
    spec=ExamineSpec,
    title=lambda spec: f"Layers of {spec.model.title} at {spec.image_size}×{spec.image_size} pixels",
    report=_report,
    execute=_execute,
    light=True,
    answers_form=True,
)
