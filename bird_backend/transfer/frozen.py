"""A network that a method looks at and never changes: a teacher, or what the student began as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_activations, capture_inputs

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
    def activations(self, images: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Outputs of `layers`; nothing after the last of them runs."""
        with capture_activations(self.network, layers) as captured:
            self.network(self._seen(images))
        return captured

    @torch.no_grad()
    def inputs(self, images: Tensor, layer: str) -> Tensor:
        """What comes into `layer`, which doesn't run."""
        with capture_inputs(self.network, (layer,)) as captured:
            self.network(self._seen(images))
        return captured[layer]

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Its own outputs [B, C]."""
        logits: Tensor = self.network(self._seen(images))
        return logits

    def _seen(self, images: Tensor) -> Tensor:
        if not self._shuffled:
            return images
        return images[torch.randperm(len(images), device=images.device)]
