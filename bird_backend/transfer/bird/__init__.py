"""BIRD: the geometry of a batch is to be as the teacher's (Pogoncheff & Beyeler 2026)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bird_backend.specs import Training
from bird_backend.transfer.declaration import FormField, MatchingSettings, Method, Part

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "BirdSettings"]


class BirdSettings(MatchingSettings):
    """How far is 1 − CKA."""

    name: Literal["bird"] = "bird"
    beta: Annotated[
        float,
        Field(ge=0),
        FormField(
            label="β, weight of the representation loss",
            help="How hard the guided layer is drawn to the guiding layer: loss = α × task loss + β × (1 − CKA). The"
            " paper uses α = 0.1, β = 0.9.",
        ),
    ] = 0.9
    kernel: Annotated[
        Literal["linear", "rbf"],
        FormField(
            label="Kernel",
            help="How two images' activations are compared. RBF looks at near neighbours only.",
            words={"linear": "Linear", "rbf": "RBF"},
            expert=True,
        ),
    ] = "linear"
    bandwidth: Annotated[
        float,
        Field(gt=0),
        FormField(
            label="Bandwidth",
            help="σ² as a fraction of the median squared distance.",
            step=0.1,
            expert=True,
            when=lambda chosen: chosen["kernel"] == "rbf",
        ),
    ] = 1.0
    estimator: Annotated[
        Literal["biased", "debiased"],
        FormField(
            label="Estimator of CKA",
            help="The biased one is too high when a batch is small against a layer's width.",
            words={"biased": "Biased: the paper's", "debiased": "Debiased: honest in small batches"},
            expert=True,
        ),
    ] = "biased"
    weighting: Annotated[
        Literal["fixed", "learned"],
        FormField(
            label="Weights of the pairs",
            help="Learned: a softmax that is trained with the student.",
            words={"fixed": "Equal", "learned": "Learned along the way"},
            expert=True,
            when=lambda chosen: bool(chosen["more"]),
        ),
    ] = "fixed"
    """Learned: the pairs' weights are where a softmax starts from that is trained with the student."""


def _remarks(settings: BirdSettings, training: Training) -> Iterator[str]:
    if settings.estimator == "biased" and training.batch_size < 64:
        yield "A batch this small inflates the biased CKA; 128 or the debiased estimator is safer."


def _build(settings: BirdSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.bird.loss import Bird  # noqa: PLC0415 - torch

    return Bird(settings, networks.teacher)


DECLARES = Method(
    name="bird",
    place=120,
    title="BIRD",
    caption="The task loss, and 1 − CKA between a teacher's guiding layer and the student's guided layer.",
    family="Follow the teacher",
    settings=BirdSettings,
    build=_build,
    needs_teacher=True,
    parts={"representation_loss": Part(label="Representation loss", explained="1 − CKA of the batch")},
    remarks=_remarks,
)
