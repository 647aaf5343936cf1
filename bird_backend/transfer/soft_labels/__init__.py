"""Soft labels: the student's outputs follow the teacher's (Hinton 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Method, Part, Temperature, WeighedSettings

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "SoftLabelsSettings"]


class SoftLabelsSettings(WeighedSettings):
    """Its own loss is T² KL to the teacher's softened outputs."""

    name: Literal["soft-labels"] = "soft-labels"
    temperature: Temperature = 4.0


def _build(settings: SoftLabelsSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.soft_labels.loss import SoftLabels  # noqa: PLC0415 - torch

    return SoftLabels(settings, networks.teacher)


DECLARES = Method(
    name="soft-labels",
    place=80,
    title="Soft labels",
    caption="The student follows the teacher's softened outputs; both have to tell the same classes apart.",
    family="Follow the teacher",
    settings=SoftLabelsSettings,
    build=_build,
    needs_teacher=True,
    needs_same_classes=True,
    parts={
        "distillation_loss": Part(label="Distillation loss", explained="how far the outputs are from the teacher's")
    },
)
