"""PKT: each image's neighbours are to be as probable as the teacher's (Passalis & Tefas 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bird_backend.transfer.declaration import Alpha, Beta, MatchingSettings, Method, Part

if TYPE_CHECKING:
    from bird_backend.training import TransferMethod
    from bird_backend.transfer.building import Networks

__all__ = ["DECLARES", "ProbabilisticSettings"]


class ProbabilisticSettings(MatchingSettings):
    """How far is between probabilities of picking a neighbour, a small number.

    Tian 2020's 30,000 are of a mean over pairs, in batches of 64; for a sum over neighbours, that is about 500.
    """

    name: Literal["pkt"] = "pkt"
    alpha: Alpha = 1.0
    beta: Beta = 500.0


def _build(settings: ProbabilisticSettings, networks: Networks) -> TransferMethod:
    from bird_backend.transfer.pkt.loss import Probabilistic  # noqa: PLC0415 - torch

    return Probabilistic(settings, networks.teacher)


DECLARES = Method(
    name="pkt",
    place=110,
    title="PKT",
    caption="Each image's neighbours are to be as probable as the teacher's (probabilistic transfer).",
    family="Follow the teacher",
    settings=ProbabilisticSettings,
    build=_build,
    needs_teacher=True,
    parts={
        "representation_loss": Part(
            label="Representation loss", explained="how far probabilities of neighbours are from the teacher's"
        )
    },
)
