"""Read a data set and say what is in it: classes, images in each split, sizes, what was done to them, and pictures."""

from __future__ import annotations

from collections.abc import Iterator
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
    return Report(header=("class", *counts), rows=(*rows, totals), lines=(*_lines(summary), *summary["remarks"]))


def _lines(summary: Summary) -> Iterator[str]:
    """Of what size the images are and were, and where each split comes from."""
    side, reading = summary["image_size"], summary["reading"]
    if reading is None:
        yield f"Images of {side}×{side} pixels."
        return
    yield f"Images of {side}×{side} pixels: {reading['why_size']}."
    if reading["distinct_sizes"] > 1:
        smallest, largest = ("×".join(map(str, reading[which])) for which in ("smallest", "largest"))
        yield f"Their files have {reading['distinct_sizes']:,} sizes, from {smallest} to {largest}."
    for split, origin in reading["origins"].items():
        yield f"The {split} split: {origin}."


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
