"""Columns of a table of pairs: what a pair is, what came of it, and the scores its outcome is predicted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bird_backend.measures.attributes import ATTRIBUTES as MEASURED

__all__ = ["ATTRIBUTES", "COLUMNS", "COMPANIONS", "OUTCOMES", "PAIR", "Column", "label"]

PAIR = ("teacher", "teacher_layer", "student", "student_layer")
"""Names of a guiding and a guided layer, and of the weights they belong to."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A number of a pair: what it is called, and how it is written."""

    label: str
    unit: Literal["percent", "plain", "count"]
    """`percent` for a share that is written times 100; a `count` goes into a model by its logarithm."""


OUTCOMES = {
    "robust_after": Column(label="Robust accuracy after", unit="percent"),
    "gain": Column(label="Gain over fine-tuning", unit="percent"),
}
"""Of the student, mean over all conditions; the gain is over the same student after plain fine-tuning."""

ATTRIBUTES = ("probe_accuracy", "complementary_knowledge", "usefulness")
"""The three of the paper, known before any transfer."""

COMPANIONS = (
    "cka",
    "teacher_robust_accuracy",
    "effective_dimension",
    "representation_stability",
    "parameters",
    "robust_before",
)
"""What else is known before a transfer; the wider model takes those that a table has."""

_COUNTS = ("parameters",)

COLUMNS = {
    **{
        name: Column(
            label=attribute.title, unit="percent" if attribute.share else "count" if name in _COUNTS else "plain"
        )
        for name, attribute in MEASURED.items()
    },
    "robust_before": Column(label="Student's robust accuracy before", unit="percent"),
    **OUTCOMES,
}


def label(name: str) -> str:
    """What a person calls a column; its name in words for one that is not known here."""
    known = COLUMNS.get(name)
    return known.label if known else name.replace("_", " ").capitalize()
