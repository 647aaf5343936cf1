"""Every method a transfer can use, with its settings; defaults are published ones where there are any.

Tian 2020 is "Contrastive Representation Distillation", whose comparison weighs RKD, SP and PKT for CIFAR-100.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bird_backend.specs.parts import Spec

__all__ = [
    "BirdMethod",
    "FeatureDriftMethod",
    "FineTuningMethod",
    "HintsMethod",
    "LayerPair",
    "LinearProbeMethod",
    "LinearProbeThenFineTuningMethod",
    "MatchingMethod",
    "Method",
    "OldHeadMethod",
    "OracleMethod",
    "ProbabilisticMethod",
    "RelationalMethod",
    "SimilarityPreservingMethod",
    "SoftLabelsMethod",
    "Start",
    "StartingMethod",
    "UntouchedMethod",
]

Start = Literal["auto", "student", "teacher"]


class LayerPair(Spec):
    """The teacher's guiding layer, the student's guided layer, and the pair's share of the representation loss."""

    teacher: str
    student: str
    weight: float = Field(default=1.0, gt=0)


class MatchingMethod(Spec):
    """`alpha` × task loss + `beta` × a weighted mean over layer pairs of how far the student is from the teacher.

    Each method measures that on a scale of its own, so one's `beta` says nothing about another's.
    """

    alpha: float = Field(default=0.1, ge=0)
    beta: float = Field(default=0.9, ge=0)
    pooling: Literal["mean", "flatten"] = "mean"
    pairs: tuple[LayerPair, ...] = Field(min_length=1, max_length=16)


class BirdMethod(MatchingMethod):
    """How far is 1 − CKA (Pogoncheff & Beyeler 2026)."""

    name: Literal["bird"] = "bird"
    kernel: Literal["linear", "rbf"] = "linear"
    bandwidth: float = Field(default=1.0, gt=0)
    """RBF only: sigma² as a fraction of the median squared distance."""
    estimator: Literal["biased", "debiased"] = "biased"
    weighting: Literal["fixed", "learned"] = "fixed"
    """Learned: the pairs' weights are where a softmax starts from that is trained with the student."""


class HintsMethod(MatchingMethod):
    """How far is half the squared distance after a learned linear map (FitNets, Romero 2014)."""

    name: Literal["hints"] = "hints"


class RelationalMethod(MatchingMethod):
    """How far is in distances and angles within the batch (Park 2019); together 25 and 50, as in Tian 2020."""

    name: Literal["rkd"] = "rkd"
    alpha: float = Field(default=1.0, ge=0)
    beta: float = Field(default=25.0, ge=0)
    distance_weight: float = Field(default=1.0, ge=0)
    angle_weight: float = Field(default=2.0, ge=0)


class SimilarityPreservingMethod(MatchingMethod):
    """How far is between row-normalised Gram matrices (Tung & Mori 2019), a small number: 3,000 as in Tian 2020."""

    name: Literal["sp"] = "sp"
    alpha: float = Field(default=1.0, ge=0)
    beta: float = Field(default=3000.0, ge=0)


class ProbabilisticMethod(MatchingMethod):
    """How far is between probabilities of picking a neighbour (PKT, Passalis & Tefas 2018), a small number too.

    Tian 2020's 30,000 are of a mean over pairs, in batches of 64; for a sum over neighbours, that is about 500.
    """

    name: Literal["pkt"] = "pkt"
    alpha: float = Field(default=1.0, ge=0)
    beta: float = Field(default=500.0, ge=0)


class SoftLabelsMethod(Spec):
    """`alpha` × task loss + `beta` × T² KL to the teacher's softened outputs (Hinton 2015)."""

    name: Literal["soft-labels"] = "soft-labels"
    alpha: float = Field(default=0.1, ge=0)
    beta: float = Field(default=0.9, ge=0)
    temperature: float = Field(default=4.0, gt=0, le=100)


class UntouchedMethod(Spec):
    """No training at all: the floor."""

    name: Literal["none"] = "none"


class OracleMethod(Spec):
    """The task loss on images corrupted as a robust teacher's are: the ceiling."""

    name: Literal["oracle"] = "oracle"


class StartingMethod(Spec):
    """Begins with the student's own weights, or with the teacher's and a new head for the student's classes."""

    start: Start = "auto"
    """Auto: the teacher's where both networks are of one architecture, else the student's."""


class FineTuningMethod(StartingMethod):
    """The task loss alone, on the student's own clean data."""

    name: Literal["fine-tuning"] = "fine-tuning"
    start: Start = "student"


class LinearProbeMethod(StartingMethod):
    """The task loss, and only the head moves."""

    name: Literal["linear-probe"] = "linear-probe"


class LinearProbeThenFineTuningMethod(StartingMethod):
    """The head alone for a `share` of the steps, then the whole network (Kumar 2022)."""

    name: Literal["lp-ft"] = "lp-ft"
    share: float = Field(default=0.5, gt=0, lt=1)


class FeatureDriftMethod(StartingMethod):
    """Task loss + `beta` × how far the head's input has moved from where it began (Shafahi 2019)."""

    name: Literal["lwf-features"] = "lwf-features"
    beta: float = Field(default=0.1, ge=0)
    """The paper's lambda, of which it tries several values."""


class OldHeadMethod(StartingMethod):
    """Task loss + `beta` × T² KL of what the old head says to what it said at the beginning (Li & Hoiem 2016)."""

    name: Literal["lwf-logits"] = "lwf-logits"
    beta: float = Field(default=1.0, ge=0)
    """The paper's lambda."""
    temperature: float = Field(default=2.0, gt=0, le=100)


Method = Annotated[
    UntouchedMethod
    | LinearProbeMethod
    | FineTuningMethod
    | LinearProbeThenFineTuningMethod
    | HintsMethod
    | FeatureDriftMethod
    | OldHeadMethod
    | SoftLabelsMethod
    | BirdMethod
    | RelationalMethod
    | SimilarityPreservingMethod
    | ProbabilisticMethod
    | OracleMethod,
    Field(discriminator="name"),
]
