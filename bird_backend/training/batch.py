"""What a training step is given, whatever kind of data it is of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

__all__ = ["Batch"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """B examples on one device: inputs as the networks take them, and the targets that a task's loss compares with."""

    inputs: Tensor
    """[B, ...]"""
    targets: Tensor
    """[B, ...]"""
    mask: Tensor | None = None
    """Bool [B, N], false where one of N tokens is padding; none where nothing is."""
    progress: float = 0.0
    """Share of the run's steps that are done, in [0, 1)."""

    def __len__(self) -> int:
        return len(self.inputs)

    def outputs(self, network: nn.Module) -> Tensor:
        """What `network` says of the inputs [B, ...]; one for data with a mask takes it as its second argument."""
        outputs: Tensor = network(self.inputs) if self.mask is None else network(self.inputs, self.mask)
        return outputs

    def reordered(self, order: Tensor) -> Batch:
        """The same examples in the order of the indices [B]."""
        mask = None if self.mask is None else self.mask[order]
        return replace(self, inputs=self.inputs[order], targets=self.targets[order], mask=mask)
