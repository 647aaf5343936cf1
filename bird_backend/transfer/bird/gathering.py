"""The batch that all processes of a distributed training see together, row by row, with gradients to one's own part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed

__all__ = ["gather_rows", "is_distributed"]


def is_distributed(group: distributed.ProcessGroup | None = None) -> bool:
    """Whether there are other processes in the group, by default in all of the training."""
    ready = distributed.is_available() and distributed.is_initialized()
    return ready and distributed.get_world_size(group) > 1


def gather_rows(rows: Tensor, group: distributed.ProcessGroup | None = None) -> Tensor:
    """[B, D] of this process to [ΣB, D] of all, in the order of their ranks; processes may hold different B.

    Each process works out the same loss of all rows, so a row's gradient is the sum of what each gives it: the mean
    over processes that data-parallel training takes of the parameters' gradients is then that of one process with the
    whole batch.
    """
    counts = [torch.empty(1, dtype=torch.long, device=rows.device) for _ in range(distributed.get_world_size(group))]
    distributed.all_gather(counts, torch.tensor([len(rows)], device=rows.device), group=group)
    sizes = torch.cat(counts).tolist()
    gathered: Tensor = _Gather.apply(rows, sizes, group)
    return gathered


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: list[int], group: distributed.ProcessGroup | None) -> Tensor:
        ctx.sizes, ctx.group = sizes, group
        # Of one height each: not every back end gathers parts that differ.
        padded = rows.new_zeros((max(sizes), rows.shape[1]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded, group=group)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        summed = gradients[0].contiguous().clone()
        distributed.all_reduce(summed, group=ctx.group)
        rank = distributed.get_rank(ctx.group)
        start = sum(ctx.sizes[:rank])
        return summed[start : start + ctx.sizes[rank]], None, None
