"""Optimiser and schedule: SGD with momentum or AdamW, the learning rate on a cosine to zero, stepped per batch."""

from __future__ import annotations

import math

from torch import nn, optim

from bird_backend.specs import Training

__all__ = ["build_optimiser", "cosine", "set_learning_rate"]


def build_optimiser(model: nn.Module, method: nn.Module, training: Training) -> optim.Optimizer:
    """Over the student's parameters and the method's own, if it has any."""
    parameters = [p for module in (model, method) for p in module.parameters() if p.requires_grad]
    if training.optimizer == "adamw":
        return optim.AdamW(parameters, lr=training.lr, weight_decay=training.weight_decay)
    return optim.SGD(
        parameters, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay, foreach=True
    )


def cosine(step: int, total: int, peak: float) -> float:
    """The learning rate of `step` (from 0) of `total`: `peak` at the first, falling to zero after the last."""
    return peak * 0.5 * (1 + math.cos(math.pi * step / total))


def set_learning_rate(optimiser: optim.Optimizer, rate: float) -> None:
    """The same rate for every group."""
    for group in optimiser.param_groups:
        group["lr"] = rate
