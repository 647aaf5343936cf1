"""Hints: D = ½ mean ||u(x) − r(v(x))||², r a learned linear map (FitNets, Romero 2014, eq. 3).

r maps the student's representation to the teacher's, as in FitNets. The other way round, a student could lower the loss
by shrinking its features to nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bird_backend.activations import Pooling, capture_activations, pool
from bird_backend.specs import HintsMethod
from bird_backend.training import Batch, training_mode
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.matching import Matching

__all__ = ["Hints"]


class Hints(Matching):
    """The student's guided layer has to be able to tell the teacher's guiding layer."""

    name = "hints"

    def __init__(self, spec: HintsMethod, teacher: FrozenNetwork, student: nn.Module, sample: Batch) -> None:
        """The maps are as wide as the pooled layers of `teacher` and `student` turn out to be for the sample."""
        super().__init__(spec, teacher)
        self.regressors = nn.ModuleList(
            nn.Linear(
                _width(student, pair.student, spec.pooling, sample),
                _width(teacher.network, pair.teacher, spec.pooling, sample),
            )
            for pair in spec.pairs
        )

    def dissimilarity(self, u: Tensor, v: Tensor, pair: int) -> Tensor:
        """½ mean over images of the squared distance."""
        told: Tensor = self.regressors[pair](v)
        return 0.5 * (u - told).square().sum(1).mean()


@torch.no_grad()
def _width(network: nn.Module, layer: str, pooling: Pooling, sample: Batch) -> int:
    with training_mode(network, False), capture_activations(network, (layer,)) as captured:
        sample.outputs(network)
    return pool(captured[layer], pooling, sample.mask).shape[1]
