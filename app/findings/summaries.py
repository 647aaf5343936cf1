"""Reading a run's summary: its figures by the names of `app.findings.figures`, as numbers and with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bird_backend.measures import Interval

__all__ = ["gain_of", "interval_of", "number_of"]

Summary = Mapping[str, Any] | None

_FIELDS = {
    "clean": ("clean_accuracy",),
    "robust": ("robust_accuracy",),
    "seen": ("seen_accuracy",),
    "held_out": ("held_out_accuracy",),
    "pooled": ("pooled_accuracy",),
    "mce": ("mce",),
    "relative_mce": ("relative_mce",),
    "ece_clean": ("calibration_error", "clean"),
    "ece_robust": ("calibration_error", "robust"),
}
"""Where a summary keeps a figure; the model's key comes second."""


def number_of(summary: Summary, figure: str, model: str) -> float | None:
    """A figure of a model of the run; none where it was not measured."""
    return _number(_walk(summary, _path(summary, figure, model)))


def interval_of(summary: Summary, figure: str, model: str) -> Interval | None:
    """The same with the interval it was measured with."""
    return Interval.from_dict(_walk(summary, ("intervals", *_path(summary, figure, model))))


def gain_of(summary: Summary, over: str) -> Interval | None:
    """The gain in robust accuracy over `before` or `fine-tuning`."""
    return Interval.from_dict(_walk(summary, (f"gain_over_{over.replace('-', '_')}",)))


def _path(summary: Summary, figure: str, model: str) -> Sequence[str]:
    field, *part = _FIELDS[figure]
    keys = (summary or {}).get("clean_accuracy")
    if not isinstance(keys, Mapping):
        # The only model of a run has no key.
        return (field, *part)
    # The student after its transfer is `after`, whichever the method.
    return (field, model if model in keys else "after", *part)


def _walk(summary: Summary, path: Sequence[str]) -> object:
    node: Any = summary
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
