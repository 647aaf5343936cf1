"""The optimiser: SGD with momentum or AdamW; its learning rate is set anew at each step, from `Training.rate`."""

from __future__ import annotations

from torch import nn, optim

from bird_backend.specs import Training

__all__ = ["build_optimiser", "set_learning_rate"]


def build_optimiser(model: nn.Module, method: nn.Module, training: Training) -> optim.Optimizer:
    """Over the student's parameters and the method's own, if it has any."""
    parameters = [p for module in (model, method) for p in module.parameters() if p.requires_grad]
    if training.optimizer == "adamw":
        return optim.AdamW(parameters, lr=training.lr, weight_decay=training.weight_decay)
    return optim.SGD(
        parameters, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay, foreach=True
    )


def set_learning_rate(optimiser: optim.Optimizer, rate: float) -> None:
    """The same rate for every group."""
    for group in optimiser.param_groups:
        group["lr"] = rate
