"""A method at work: from its settings and the networks that it is between."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from bird_backend.training import Batch, TransferMethod
from bird_backend.transfer import METHODS, MethodSettings
from bird_backend.transfer.frozen import FrozenNetwork

__all__ = ["Networks", "build_method"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Networks:
    """What a method may look at when it is built."""

    teacher: FrozenNetwork
    origin: FrozenNetwork
    """What the student began as, with the head it had then."""
    student: nn.Module
    classifier: str
    """Module path of the student's last linear layer, and of the origin's."""
    sample: Batch
    """A batch as those of the training, to see what shapes networks make of it."""


def build_method(settings: MethodSettings, networks: Networks, *, seed: int) -> TransferMethod:
    """The method of these settings, on the student's device; what it learns begins as `seed` draws it.

    One that trains nothing is a `ValueError`.
    """
    method = METHODS[settings.name]
    if not method.trains:
        raise ValueError(f"the method {method.name} trains nothing")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        built = method.build(settings, networks)
    return built.to(next(networks.student.parameters()).device)
