"""FGSM and PGD on whole batches with a budget for each image, by exact gradients of the task's loss.

Gradients are float32 and of the network in evaluation mode, so that neither the statistics of its normalisation nor the
gradients of its parameters are touched; everything stays on the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from bird_backend.behaviours.adversarial import budgets_for
from bird_backend.behaviours.drawing import draw
from bird_backend.behaviours.trial import Attacked, Given
from bird_backend.datasets import normalise, normalise_levels
from bird_backend.training import Batch
from bird_backend.training.device import layout, to_layout, training_mode

__all__ = ["Norm", "ascend", "attack", "attack_each", "whole_levels"]

Norm = Literal["linf", "l2"]

_NORMS: dict[str, Norm] = {"fgsm": "linf", "pgd": "linf", "pgd_l2": "l2"}
_STRIDE = 2.5
"""Budgets that all steps together could go, so that the border is reached from any start (Madry 2018)."""
_TINY = 1e-10
_HELD_BYTES = 256 * 2**20
"""Of one chunk's activations, which a backward pass needs all at once."""


def attack(images: Tensor, condition: str, strength: int, given: Given) -> Tensor:
    """uint8 [B,3,H,W] attacked within the budget of a strength from 0 to 5."""
    strengths = torch.full((len(images),), strength)
    return _attacked(images, condition, strengths, given.attacked, given.settings.steps, given.generator)


def attack_each(images: Tensor, conditions: Sequence[str], given: Given) -> Tensor:
    """uint8 [B,3,H,W], each image under one of `conditions` at a strength from 0 to 5, both drawn for it alone."""
    which, strengths = draw(len(images), len(conditions), given)
    network, steps = given.attacked, given.settings.training_steps
    result = images.clone()
    for index, condition in enumerate(conditions):
        rows = ((which == index) & (strengths > 0)).nonzero().flatten()
        if len(rows) == 0:
            continue
        there = rows.to(images.device)
        aimed = replace(network, labels=network.labels[there])
        result[there] = _attacked(images[there], condition, strengths[rows], aimed, steps, given.generator)
    return result


def _attacked(
    images: Tensor, condition: str, strengths: Tensor, network: Attacked, steps: int, generator: torch.Generator
) -> Tensor:
    norm, device = _NORMS[condition], images.device
    budgets = torch.tensor([0.0, *budgets_for(condition, *images.shape[2:])])[strengths].to(device)
    levels = images.to(torch.float32)
    single = condition == "fgsm"
    begin = levels if single else _random_start(levels, budgets, norm, generator)
    strides = budgets if single else budgets * (_STRIDE / steps)
    found = []
    size = _images_at_once(network.model, images[:1])
    with training_mode(network.model, False):
        for start in range(0, len(images), size):
            rows = slice(start, start + size)
            part = replace(network, labels=network.labels[rows])
            changed = ascend(
                levels[rows], begin[rows], part, budgets[rows], strides[rows], norm=norm, steps=1 if single else steps
            )
            found.append(whole_levels(levels[rows], changed, budgets[rows], norm))
    return torch.cat(found)


def ascend(
    images: Tensor, begin: Tensor, network: Attacked, budgets: Tensor, strides: Tensor, *, norm: Norm, steps: int
) -> Tensor:
    """Float levels [B,3,H,W] after `steps` of `strides` [B] up the loss from `begin`, within `budgets` [B] of `images`.

    A step goes along the gradient's sign, or along the gradient made as long as the stride; then back into the budget's
    ball around the image, and into 0 to 255. The network is in evaluation mode.
    """
    moved, limit, stride = begin, budgets.view(-1, 1, 1, 1), strides.view(-1, 1, 1, 1)
    for _ in range(steps):
        gradient = _gradient(moved, network)
        if norm == "linf":
            change = (moved + stride * gradient.sign() - images).clamp(-limit, limit)
        else:
            change = moved + stride * gradient / (_length(gradient) + _TINY) - images
            change = change * (limit / _length(change).clamp_min(_TINY)).clamp_max(1)
        moved = (images + change).clamp(0, 255)
    return moved


def whole_levels(images: Tensor, moved: Tensor, budgets: Tensor, norm: Norm) -> Tensor:
    """`moved` as uint8: rounded, and where that leaves an L2 budget, ever more of the changes rounded towards none."""
    change = moved - images
    rounded = change.round()
    if norm == "l2":
        limit, size = budgets.view(-1, 1, 1, 1), change.abs()
        part = size - size.floor()
        for share in (0.6, 0.7, 0.8, 0.9, 1.0):
            lower = change.sign() * (size.floor() + (part >= share))
            rounded = torch.where(_length(rounded) > limit, lower, rounded)
    return (images + rounded).clamp_(0, 255).to(torch.uint8)


def _gradient(levels: Tensor, network: Attacked) -> Tensor:
    """Of the task's loss, by float levels [B,3,H,W]; the graph is of this one pass and gone after it."""
    with torch.enable_grad(), torch.autocast(levels.device.type, enabled=False):
        leaf = levels.detach().clone().requires_grad_()
        inputs = to_layout(normalise_levels(leaf), layout(network.model))
        loss = network.task.loss(network.model(inputs), Batch(inputs=inputs, targets=network.labels))
        gradient: Tensor = torch.autograd.grad(loss, leaf)[0]
    return gradient


def _random_start(images: Tensor, budgets: Tensor, norm: Norm, generator: torch.Generator) -> Tensor:
    """A place within each image's budget: anywhere in the cube, or in any direction at any distance, evenly drawn."""
    limit, device = budgets.view(-1, 1, 1, 1), images.device
    if norm == "linf":
        change = torch.rand(images.shape, generator=generator, device=device).mul_(2).sub_(1) * limit
    else:
        direction = torch.randn(images.shape, generator=generator, device=device)
        distance = torch.rand((len(images), 1, 1, 1), generator=generator, device=device)
        change = direction * (distance * limit / _length(direction))
    return (images + change).clamp_(0, 255)


def _length(values: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(values.flatten(1), dim=1)
    return lengths.view(-1, 1, 1, 1)


@torch.no_grad()
def _images_at_once(model: nn.Module, image: Tensor) -> int:
    """How many images' activations may be held for a backward pass, by what the modules put out for one [1,3,H,W]."""
    held = 1

    def see(_module: nn.Module, _inputs: tuple[object, ...], output: object) -> None:
        nonlocal held
        if isinstance(output, Tensor):
            held += output.nbytes

    handles = [module.register_forward_hook(see) for module in model.modules()]
    try:
        with training_mode(model, False):
            model(to_layout(normalise(image), layout(model)))
    finally:
        for handle in handles:
            handle.remove()
    return max(1, _HELD_BYTES // held)
