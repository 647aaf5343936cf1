"""A training of one's own, written down as it goes: `bird_backend.record` makes a run of it like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from bird_backend.errors import InputError
from bird_backend.experiments.declaration import Kind, Report, RunSpec, Summary
from bird_backend.experiments.report import figures_report
from bird_backend.specs import LayerPair

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "RecordSpec"]


class RecordSpec(RunSpec):
    """What its maker said of it; nothing here is carried out. `seed` tells runs of the same name and settings apart."""

    kind: Literal["record"] = "record"
    name: str = Field(min_length=1, max_length=120)
    """Its title too; runs of one family have the same."""
    teacher: str | None = None
    student: str | None = None
    """What kinds of network they are."""
    layers: LayerPair | None = None
    """Whose geometry the snapshots draw."""
    settings: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    """Of the training, as its maker calls them."""
    steps: int | None = Field(default=None, ge=1)

    @field_validator("name")
    @classmethod
    def _says_something(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a name that can be read")
        return name

    @property
    def drawn_pair(self) -> LayerPair | None:
        return self.layers


def _execute(_spec: RecordSpec, _work: Work) -> dict[str, Any]:
    raise InputError(
        "A run of kind record can't be begun from here: the training that it is of writes it, by bird_backend.record."
    )


def _report(summary: Summary) -> Report:
    said = f"Recorded {summary['rows']:,} rows of metrics and {summary['snapshots']:,} snapshots up to step"
    lines = (f"{said} {summary['last_step']:,}, in {summary['seconds']} s",)
    if "figures" not in summary:
        return Report(lines=lines)
    measured = figures_report(summary)
    return Report(header=measured.header, rows=measured.rows, lines=(*measured.lines, *lines))


DECLARES = Kind(
    name="record",
    place=35,
    label="Own training",
    spec=RecordSpec,
    title=lambda spec: spec.name,
    report=_report,
    execute=_execute,
    shows=frozenset({"curves", "geometry", "accuracy"}),
    recorded=True,
)
