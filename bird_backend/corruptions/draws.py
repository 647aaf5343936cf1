"""Random words: torch makes 64 random bits in the time of one float, and noise rarely needs more than 32 or even 16."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["random_words"]


def random_words(shape: torch.Size | tuple[int, ...], generator: torch.Generator) -> Tensor:
    """int32 words of 32 random bits each, on the generator's device."""
    count = math.prod(shape)
    pairs = torch.empty((count + 1) // 2, dtype=torch.int64, device=generator.device)
    return pairs.random_(-(2**63), None, generator=generator).view(torch.int32)[:count].view(shape)
