"""How a batch is changed for training: condition and strength drawn anew for runs of neighbours, or for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from bird_backend.behaviours.declaration import STRENGTHS
from bird_backend.behaviours.trial import Given
from bird_backend.errors import InputError

__all__ = ["SHARED_BY", "change_for_training", "draw"]

SHARED_BY = 8
"""Neighbours of a training batch that share a condition and a strength: sixteen draws in a batch of 128."""


def change_for_training(images: Tensor, conditions: Sequence[str], given: Given) -> Tensor:
    """uint8 [B,3,H,W], each image under one of `conditions` at a strength from 0 to 5 (0: as it is), both drawn anew.

    For each image where the behaviour says how, else for every `SHARED_BY` neighbours: shuffle first. Drawn on the CPU,
    so that nothing waits for the device.
    """
    behaviour = given.settings.behaviour
    if not conditions:
        raise InputError(f"There is no {behaviour.words.condition} to train on; name at least one.")
    names = tuple(behaviour.find(name).name for name in conditions)
    if behaviour.train is not None:
        changed: Tensor = behaviour.train(images, names, given)
        return changed
    firsts = range(0, len(images), SHARED_BY)
    which, strengths = draw(len(firsts), len(names), given)
    parts = []
    for first, condition, strength in zip(firsts, which.tolist(), strengths.tolist(), strict=True):
        rows = slice(first, first + SHARED_BY)
        part = images[rows]
        network = given.network and replace(given.network, labels=given.network.labels[rows])
        with_part = replace(given, network=network)
        parts.append(behaviour.apply(part, names[condition], strength, with_part) if strength else part)
    return torch.cat(parts)


def draw(count: int, conditions: int, given: Given) -> tuple[Tensor, Tensor]:
    """Which condition, and a strength from 0 to 5, `count` times on the CPU: all pairs are equally likely."""
    chance = given.cpu_generator or given.generator
    if chance.device.type != "cpu":
        raise InputError("Changing images on a device in training needs a cpu_generator for conditions and strengths.")
    levels = len(STRENGTHS) + 1
    drawn = torch.randint(conditions * levels, (count,), generator=chance)
    return drawn // levels, drawn % levels
