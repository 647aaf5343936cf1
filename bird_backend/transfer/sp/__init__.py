"""SP: images alike to the teacher are to be alike to the student (similarity-preserving, Tung & Mori 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Alpha, Beta, MatchingSettings, Method, Part

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "SimilarityPreservingSettings"]


class SimilarityPreservingSettings(MatchingSettings):
    """How far is between row-normalised Gram matrices, a small number: 3,000 as in Tian 2020."""

    name: Literal["sp"] = "sp"
    alpha: Alpha = 1.0
    beta: Beta = 3000.0


def _build(settings: SimilarityPreservingSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.sp.loss import SimilarityPreserving  # noqa: PLC0415 - torch

    return SimilarityPreserving(settings, networks.teacher)


DECLARES = Method(
    name="sp",
    place=100,
    title="SP",
    caption="Images alike to the teacher are to be alike to the student (similarity-preserving).",
    family="Follow the teacher",
    settings=SimilarityPreservingSettings,
    build=_build,
    needs_teacher=True,
    parts={
        "representation_loss": Part(
            label="Representation loss", explained="how far likenesses within the batch are from the teacher's"
        )
    },
)
