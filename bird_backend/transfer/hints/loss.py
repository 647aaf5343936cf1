"""Hints: D = ½ mean ||u(x) − r(v(x))||², r a learned linear map (FitNets, Romero 2014, eq. 3).

r maps the student's representation to the teacher's, as in FitNets. The other way round, a student could lower the loss
by shrinking its features to nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_activations, pool
from bird_backend.training import Batch, training_mode
from bird_backend.transfer.building import Networks
from bird_backend.transfer.hints import HintsSettings, check_projection
from bird_backend.transfer.matching import Matching

__all__ = ["Hints"]


class Hints(Matching):
    """The student's guided layer has to be able to tell the teacher's guiding layer."""

    def __init__(self, settings: HintsSettings, networks: Networks) -> None:
        """The maps are as wide as the pooled layers of teacher and student turn out to be for the sample."""
        super().__init__(settings, networks.teacher)
        sample, pooling = networks.sample, settings.pooling
        regressors = []
        for pair in settings.pairs:
            theirs = _output(networks.teacher.network, pair.teacher, sample)
            own = _output(networks.student, pair.student, sample)
            if pooling == "flatten":
                check_projection(pair, theirs.shape[1:], own.shape[1:])
            narrow, wide = (pool(activation, pooling, sample.mask).shape[1] for activation in (own, theirs))
            regressors.append(nn.Linear(narrow, wide))
        self.regressors = nn.ModuleList(regressors)

    def dissimilarity(self, u: Tensor, v: Tensor, pair: int) -> Tensor:
        """½ mean over images of the squared distance."""
        told: Tensor = self.regressors[pair](v)
        return 0.5 * (u - told).square().sum(1).mean()


@torch.no_grad()
def _output(network: nn.Module, layer: str, sample: Batch) -> Tensor:
    with training_mode(network, False), capture_activations(network, (layer,)) as captured:
        sample.outputs(network)
    return captured[layer]
