"""Read a data set and say what is in it: its classes, images in each split, and what had to be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bird_backend import catalog
from bird_backend.experiments.declaration import DataRunSpec, Kind, Report, Summary

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "InspectSpec"]


class InspectSpec(DataRunSpec):
    """The data set. Above all one's own images, of which nothing is known until they are read."""

    kind: Literal["inspect"] = "inspect"


def _execute(spec: InspectSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.inspect.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _report(summary: Summary) -> Report:
    counts = summary["counts"]
    rows = [(name, *(str(counts[split][i]) for split in counts)) for i, name in enumerate(summary["classes"])]
    totals = ("all", *(str(sum(counts[split])) for split in counts))
    return Report(header=("class", *counts), rows=(*rows, totals), lines=tuple(summary["remarks"]))


DECLARES = Kind(
    name="inspect",
    place=55,
    label="Data",
    spec=InspectSpec,
    title=lambda spec: f"Classes of {catalog.title_of(spec.data)}",
    report=_report,
    execute=_execute,
    light=True,
    answers_form=True,
)
