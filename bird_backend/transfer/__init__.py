"""Transfer methods, one file each, that read like their equations."""

from bird_backend.transfer.fine_tuning import FineTuning
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.registry import METHODS, build_method

__all__ = ["METHODS", "FineTuning", "FrozenNetwork", "build_method"]
