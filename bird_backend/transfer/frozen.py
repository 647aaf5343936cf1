"""A network that a method looks at and never changes: a teacher, or what the student began as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from bird_backend.activations import Pooling, capture_activations, capture_inputs, pool
from bird_backend.training import Batch

__all__ = ["FrozenNetwork"]


class FrozenNetwork:
    """In evaluation mode and without gradients; no module, so that a method that has one doesn't train or save it.

    `shuffled` is a control: it sees each batch in another order, so that what it says belongs to other images. The
    order comes from torch's global generator, which the loop seeds in every step.
    """

    def __init__(self, network: nn.Module, *, shuffled: bool = False) -> None:
        self.network = network.eval().requires_grad_(False)
        self._shuffled = shuffled

    @torch.no_grad()
    def features(self, batch: Batch, layers: Sequence[str], pooling: Pooling) -> Mapping[str, Tensor]:
        """Outputs of `layers`, pooled to [B, D] each; nothing after the last of them runs."""
        seen = self._seen(batch)
        with capture_activations(self.network, layers) as captured:
            seen.outputs(self.network)
        return {name: pool(captured[name], pooling, seen.mask) for name in layers}

    @torch.no_grad()
    def inputs(self, batch: Batch, layer: str) -> Tensor:
        """What comes into `layer`, which doesn't run."""
        with capture_inputs(self.network, (layer,)) as captured:
            self._seen(batch).outputs(self.network)
        return captured[layer]

    @torch.no_grad()
    def outputs(self, batch: Batch) -> Tensor:
        """What it says itself [B, ...]."""
        return self._seen(batch).outputs(self.network)

    def _seen(self, batch: Batch) -> Batch:
        if not self._shuffled:
            return batch
        return batch.reordered(torch.randperm(len(batch), device=batch.inputs.device))
