"""Methods by name, and from a spec."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from bird_backend.specs import BirdMethod, FineTuningMethod
from bird_backend.training.contract import TransferMethod
from bird_backend.transfer.bird import Bird
from bird_backend.transfer.fine_tuning import FineTuning

__all__ = ["METHODS", "build_method"]

METHODS: Mapping[str, type[TransferMethod]] = {method.name: method for method in (Bird, FineTuning)}


def build_method(spec: BirdMethod | FineTuningMethod, *, teacher: nn.Module) -> TransferMethod:
    """The method a spec asks for; `teacher` is frozen and put in evaluation mode."""
    match spec:
        case BirdMethod():
            return Bird(spec, teacher)
        case FineTuningMethod():
            return FineTuning()
