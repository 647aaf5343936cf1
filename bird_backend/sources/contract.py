"""What a network of one's own has to be for a transfer, found out with three images of noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from bird_backend.catalog import LayerFacts
from bird_backend.errors import InputError
from bird_backend.models.discovery import trace

__all__ = ["examine_own"]


def examine_own(model: nn.Module, words: str, classes: int, image_size: int) -> tuple[LayerFacts, ...]:
    """Its layers; a network that can't be used is an `InputError` that begins with `words`.

    What its forward pass raises is raised here.
    """
    if not list(model.parameters()):
        raise InputError(f"{words} made a network without parameters, so there is nothing to train.")
    _check_state(model, words)
    traced = trace(model, image_size)
    _check_state(model, words)  # lazy layers have numbers only now
    _check_logits(traced.logits, words, classes)
    if not any(layer for layer in traced.layers if not layer.classifier):
        raise InputError(
            f"{words} made a network in which no module before the classifier returns maps [images, channels, rows,"
            " columns], tokens [images, tokens, features] or vectors [images, features], so no layer can be aligned;"
            " make its parts torch.nn.Module attributes and call them in forward."
        )
    return traced.layers


def _check_state(model: nn.Module, words: str) -> None:
    for name, tensor in model.state_dict().items():
        if is_lazy(tensor) or not tensor.is_floating_point():
            continue
        if tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise InputError(f"{words} made a network in {kind} ({name}); return it in float32, with .float().")
        if tensor.device.type != "cpu":
            raise InputError(f"{words} put {name} on {tensor.device}; leave the network on the CPU, the run moves it.")
        if not tensor.isfinite().all():
            raise InputError(f"{words} made a network whose {name} holds numbers that are not finite.")


def _check_logits(logits: object, words: str, classes: int) -> None:
    right = f"its forward pass has to return logits, one tensor [images, {classes}]"
    if not isinstance(logits, Tensor):
        raise InputError(f"{words} made a network that returns {type(logits).__name__}; {right}.")
    if logits.ndim != 2 or logits.shape[0] != 3:
        raise InputError(f"{words} made a network that returns {list(logits.shape)} for three images; {right}.")
    if logits.shape[1] != classes:
        raise InputError(
            f"{words} made a network that tells {logits.shape[1]} classes apart where there are {classes}; give its"
            " last layer `classes` outputs."
        )
    if not logits.is_floating_point():
        raise InputError(f"{words} made a network that returns {logits.dtype}, such as labels; {right}.")
    if not logits.isfinite().all():
        raise InputError(f"{words} made a network whose outputs are not finite for images of noise; {right}, finite.")
