"""Measures each network for `catalog.json`: parameters, multiply-adds, and the shapes of its alignable layers.

Everything runs on the meta device, where tensors have shapes and no numbers, so even ResNet-152 takes no memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bird_backend.activations import capture_activations
from bird_backend.models.reach import parameters_reached
from bird_backend.models.registry import ARCHITECTURES, Architecture, find_architecture

__all__ = ["CLASSES", "profile", "write_catalog"]

CLASSES = 10
"""Parameters and multiply-adds are given for a classifier of this many classes."""


def profile(name: str) -> dict[str, Any]:
    """The catalogue's entry of network `name`, ready for JSON."""
    architecture = find_architecture(name)
    model, images = _at(architecture, 32)
    capturing = capture_activations(model, architecture.layers, stop_early=False)
    with capturing as captured, parameters_reached(model) as reached, FlopCounterMode(display=False) as counter:
        model(images)
    larger, larger_images = _at(architecture, 64)
    with FlopCounterMode(display=False) as counter_64:
        larger(larger_images)
    return {
        "name": name,
        "title": architecture.title,
        "caption": architecture.caption,
        "family": architecture.family,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "small": architecture.small,
        "multiply_adds": counter.get_total_flops() // 2,  # torch counts a multiplication and an addition as two
        "multiply_adds_64": counter_64.get_total_flops() // 2,
        "same_pooled": dict(architecture.same_pooled),
        "layers": [[layer, list(captured[layer].shape[1:]), reached[layer]] for layer in architecture.layers],
    }


def _at(architecture: Architecture, image_size: int) -> tuple[nn.Module, Tensor]:
    """The network on the meta device, and an image for it."""
    with torch.device("meta"):
        return architecture.build(CLASSES, image_size).eval(), torch.empty(1, 3, image_size, image_size)


def write_catalog(path: Path) -> None:
    """Writes every network's entry to `path`, one line each, small networks first."""
    lines = ",\n".join(json.dumps(profile(name), ensure_ascii=False) for name in ARCHITECTURES)
    path.write_text(f'{{"models": [\n{lines}\n]}}\n', "utf-8")
