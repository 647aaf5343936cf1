"""The attributes of a teacher's layer for a student, torch-free: how each is called, what it says, its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["ATTRIBUTES", "REDUCE_AND_AGGREGATE", "USUAL_USEFULNESS", "Attribute", "AttributeName", "column"]

AttributeName = Literal[
    "probe_accuracy",
    "complementary_knowledge",
    "usefulness",
    "cka",
    "effective_dimension",
    "teacher_robust_accuracy",
    "representation_stability",
    "parameters",
]

REDUCE_AND_AGGREGATE: tuple[str, ...] = tuple(
    f"{reduce}_{aggregate}" for reduce in ("min", "mean", "clean") for aggregate in ("mean", "max", "probe_weighted")
)
"""Options of usefulness: over the cells the least, the mean or none at all; over features of each one's best class."""
USUAL_USEFULNESS = "min_mean"


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One of them."""

    name: AttributeName
    title: str
    caption: str
    share: bool
    """Whether it is a share from 0 to 1, which is shown in percent."""
    digits: int
    """Decimals, of percent where it is a share."""
    options: tuple[str, ...] = ("",)
    """The first is the usual one."""
    of_pair: bool = False
    """Whether it depends on the student's guided layer too."""


ATTRIBUTES: Mapping[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        Attribute(
            name="usefulness",
            title="Robust usefulness",
            caption="How much a feature still says of its best class when each image changes in the worst way for it,"
            " the mean over features (after Ilyas et al. 2019). Below 0 features mislead.",
            share=False,
            digits=3,
            options=REDUCE_AND_AGGREGATE,
        ),
        Attribute(
            name="probe_accuracy",
            title="Probe accuracy",
            caption="How often a linear probe on this layer, fitted to the student's clean training images, is right on"
            " held-out ones.",
            share=True,
            digits=1,
        ),
        Attribute(
            name="complementary_knowledge",
            title="Complementary knowledge",
            caption="Held-out images that this layer's probe gets right and a probe on the student's guided layer"
            " gets wrong.",
            share=True,
            digits=1,
            of_pair=True,
        ),
        Attribute(
            name="cka",
            title="CKA with the student",
            caption="How alike the two layers' geometry is before any transfer: debiased, linear, held-out images."
            " `shuffled` is what it is when one side's images are shuffled.",
            share=False,
            digits=3,
            options=("", "shuffled"),
            of_pair=True,
        ),
        Attribute(
            name="representation_stability",
            title="Stability",
            caption="How alike a layer's geometry stays when images change: debiased CKA of clean with changed"
            " features, the mean over conditions and strengths.",
            share=False,
            digits=3,
        ),
        Attribute(
            name="effective_dimension",
            title="Effective dimension",
            caption="In how many directions the features vary: the participation ratio of their covariance.",
            share=False,
            digits=1,
        ),
        Attribute(
            name="teacher_robust_accuracy",
            title="Teacher's robust accuracy",
            caption="On its own data's test images, as its provenance states it for this behaviour.",
            share=True,
            digits=1,
        ),
        Attribute(
            name="parameters",
            title="Parameters",
            caption="Numbers in the whole network.",
            share=False,
            digits=0,
        ),
    )
}


def column(attribute: str, option: str = "") -> str:
    """How a wide table calls an attribute under an option: `usefulness_min_mean`, `probe_accuracy`."""
    return f"{attribute}_{option}" if option else attribute
