"""Columns of a table of pairs: what a pair is, what came of it, and the scores its outcome is predicted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ATTRIBUTES", "COLUMNS", "COMPANIONS", "OUTCOMES", "PAIR", "Column", "label"]

PAIR = ("teacher", "teacher_layer", "student", "student_layer")
"""Names of a guiding and a guided layer, and of the weights they belong to."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A number of a pair: what it is called, how it is written, and in a sentence what it says."""

    label: str
    unit: Literal["percent", "plain", "count"]
    """`percent` for a share that is written times 100; a `count` goes into a model by its logarithm."""
    says: str


OUTCOMES = {
    "robust_after": Column(
        label="Robust accuracy after",
        unit="percent",
        says="Mean accuracy of the student under all conditions, after the transfer.",
    ),
    "gain": Column(
        label="Gain over fine-tuning",
        unit="percent",
        says="Robust accuracy after the transfer less that of the same student after plain fine-tuning.",
    ),
}

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

COLUMNS = {
    "probe_accuracy": Column(
        label="Probe accuracy",
        unit="percent",
        says="What a linear probe on the teacher's layer gets right of the student's held-out images.",
    ),
    "complementary_knowledge": Column(
        label="Complementary knowledge",
        unit="percent",
        says="Share of held-out images that the teacher's probe gets right and the student's own gets wrong.",
    ),
    "usefulness": Column(
        label="Robust usefulness",
        unit="plain",
        says="How well single features of the teacher's layer still tell the classes apart under every condition.",
    ),
    "cka": Column(
        label="CKA with the student",
        unit="plain",
        says="How alike the two layers' geometry is before the transfer: debiased CKA.",
    ),
    "teacher_robust_accuracy": Column(
        label="Teacher's robust accuracy",
        unit="percent",
        says="The teacher's own accuracy under all conditions, on its own task.",
    ),
    "effective_dimension": Column(
        label="Effective dimension",
        unit="plain",
        says="How many directions the layer really uses: the participation ratio of its covariance.",
    ),
    "representation_stability": Column(
        label="Stability",
        unit="plain",
        says="CKA of the layer's own representations of clean images and of the same images under the conditions.",
    ),
    "parameters": Column(label="Parameters", unit="count", says="The teacher's weights, counted."),
    "robust_before": Column(
        label="Student's robust accuracy before",
        unit="percent",
        says="The student's accuracy under all conditions before the transfer.",
    ),
} | OUTCOMES


def label(name: str) -> str:
    """What a person calls a column; its name in words for one that is not known here."""
    known = COLUMNS.get(name)
    return known.label if known else name.replace("_", " ").capitalize()
