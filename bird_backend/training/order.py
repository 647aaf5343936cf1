"""Which examples each step of a training sees: another order for each epoch, fixed by the seed."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.seeds import derive_seed

__all__ = ["Order"]


class Order:
    """Batches of `batch_size` out of `examples`; what is left of an epoch is not seen in it."""

    def __init__(self, examples: int, batch_size: int, *, seed: int) -> None:
        self._examples, self._batch_size, self._seed = examples, batch_size, seed
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.long)

    def rows(self, step: int) -> Tensor:
        """Places of the examples of a step [B], on the CPU."""
        epoch, index = divmod(step, self._examples // self._batch_size)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(derive_seed(self._seed, "order", epoch))
            self._epoch, self._order = epoch, torch.randperm(self._examples, generator=generator)
        return self._order[index * self._batch_size : (index + 1) * self._batch_size]
