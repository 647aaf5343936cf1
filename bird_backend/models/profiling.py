"""Measures each network for `catalog.json`: parameters, multiply-adds, and the shapes of its alignable layers.

Everything runs on the meta device, where tensors have shapes and no numbers, so even ResNet-152 takes no memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bird_backend.activations import capture_activations
from bird_backend.models.registry import ARCHITECTURES, find_architecture
from bird_backend.models.small import AttentionHeads

__all__ = ["CLASSES", "profile", "write_catalog"]

CLASSES = 10
"""Parameters and multiply-adds are given for a classifier of this many classes."""


def profile(name: str) -> dict[str, Any]:
    """The catalogue's entry of network `name`, ready for JSON."""
    architecture = find_architecture(name)
    with torch.device("meta"):
        model = architecture.build(classes=CLASSES).eval()
        images = torch.empty(1, 3, 32, 32)
    with capture_activations(model, architecture.layers, stop_early=False) as captured:
        flops = _multiply_adds(model, images)
    return {
        "name": name,
        "title": architecture.title,
        "caption": architecture.caption,
        "family": architecture.family,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "small": architecture.small,
        "forward_flops": flops,
        "layers": [[layer, list(captured[layer].shape[1:])] for layer in architecture.layers],
    }


def write_catalog(path: Path) -> None:
    """Writes every network's entry to `path`, one line each, small networks first."""
    lines = ",\n".join(json.dumps(profile(name), ensure_ascii=False) for name in ARCHITECTURES)
    path.write_text(f'{{"models": [\n{lines}\n]}}\n', "utf-8")


def _multiply_adds(model: nn.Module, images: Tensor) -> int:
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += output.numel() * module.in_features
        elif isinstance(module, AttentionHeads | nn.MultiheadAttention):
            tokens, width = inputs[0].shape[-2:]
            total += 2 * tokens * tokens * width  # scores, then the weighted sum
            if isinstance(module, nn.MultiheadAttention):  # its projections are no modules that run
                total += 4 * tokens * width * width

    handles = [module.register_forward_hook(count) for module in model.modules()]
    try:
        model(images)
    finally:
        for handle in handles:
            handle.remove()
    return total
