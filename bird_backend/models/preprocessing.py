"""A network's own pre-processing as one hook before it: a batch normalised our way becomes one normalised its own.

Module paths and tensors of the network stay what they are, and gradients flow back to the images.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from bird_backend.specs import OURS, Preprocessing

__all__ = ["attach_preprocessing", "preprocessing_of"]


class _Renormalise:
    """The hook: x [B, 3, H, W] normalised our way to the network's own mean, deviation and size."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        own, ours = preprocessing, OURS
        self._factor = torch.tensor([a / b for a, b in zip(ours.std, own.std, strict=True)]).view(3, 1, 1)
        shift = [(a - b) / c for a, b, c in zip(ours.mean, own.mean, own.std, strict=True)]
        self._shift = torch.tensor(shift).view(3, 1, 1)
        self._same = (own.mean, own.std) == (ours.mean, ours.std)

    def __call__(self, _module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        images: Tensor = inputs[0]
        size = self.preprocessing.size
        if size is not None and images.shape[-2:] != (size, size):
            images = interpolate(images, (size, size), mode="bilinear", antialias=True)
        if not self._same:
            if self._factor.device != images.device:
                self._factor, self._shift = self._factor.to(images.device), self._shift.to(images.device)
            images = images * self._factor.to(images.dtype) + self._shift.to(images.dtype)
        return images, *inputs[1:]


def attach_preprocessing(model: nn.Module, preprocessing: Preprocessing) -> None:
    """From now on `model` takes batches normalised our way, whatever it was trained on; in place of any it had."""
    for key, hook in list(model._forward_pre_hooks.items()):
        if isinstance(hook, _Renormalise):
            del model._forward_pre_hooks[key]
    model.register_forward_pre_hook(_Renormalise(preprocessing), prepend=True)


def preprocessing_of(model: nn.Module) -> Preprocessing | None:
    """What was attached to it; none: it sees batches as they are."""
    found = (hook.preprocessing for hook in model._forward_pre_hooks.values() if isinstance(hook, _Renormalise))
    return next(found, None)
