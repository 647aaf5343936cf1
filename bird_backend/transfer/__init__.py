"""Transfer methods, one file each, that read like their equations."""

from bird_backend.transfer.bird import Bird
from bird_backend.transfer.fine_tuning import FineTuning
from bird_backend.transfer.registry import METHODS, build_method

__all__ = ["METHODS", "Bird", "FineTuning", "build_method"]
