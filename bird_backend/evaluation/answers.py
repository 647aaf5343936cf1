"""What a network says of many images, a few at a time, so that however wide it is, little memory is held at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bird_backend.datasets import normalise
from bird_backend.stopping import check_stop
from bird_backend.training import Classification
from bird_backend.training.device import layout, to_layout

__all__ = ["Respondent"]

_LARGEST_BYTES = {"cpu": 32 * 2**20, "elsewhere": 64 * 2**20}
"""Of one module's output for a chunk of images.

A forward pass holds several times as much, and on a CPU the heap keeps it, up to twenty times for a deep DenseNet.
Larger chunks are no faster there; other devices are faster with more at once.
"""
_CACHED_BYTES = 2 * 2**20
"""Of the same on a CPU, whose caches then hold what passes from one module to the next: a third less time for the small
networks that come with the project, which would put out as little for five hundred images."""
_FEWEST = 32
"""But not fewer images than these for the sake of caches."""


class Respondent:
    """A network in evaluation mode, asked for its class of uint8 images and for how sure it is of it."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        """`image` [1,3,H,W] is passed through once, to see how much the network holds for it."""
        self._model = model
        self._task = Classification()
        self._layout = layout(model)
        largest, on_cpu = _largest_output(model, self._ready(image)), image.device.type == "cpu"
        self._chunk = max(1, _LARGEST_BYTES["cpu" if on_cpu else "elsewhere"] // largest)
        if on_cpu:
            self._chunk = min(self._chunk, max(_FEWEST, _CACHED_BYTES // largest))

    @torch.no_grad()
    def answer(self, images: Tensor) -> Tensor:
        """int16 [2,B] for uint8 [B,3,H,W]: the predicted classes, and their softmax probabilities as float16's bits."""
        parts = math.ceil(len(images) / self._chunk)
        return torch.cat([self._answer(part) for part in images.tensor_split(parts)], dim=1)

    def _answer(self, images: Tensor) -> Tensor:
        check_stop()
        predicted, confidence = self._task.answers(self._model(self._ready(images)))
        return torch.stack([predicted.to(torch.int16), confidence.to(torch.float16).view(torch.int16)])

    def _ready(self, images: Tensor) -> Tensor:
        return to_layout(normalise(images), self._layout)


@torch.no_grad()
def _largest_output(model: nn.Module, image: Tensor) -> int:
    """Bytes of the largest tensor that a module of the network puts out for one image."""
    largest = 1

    def see(_module: nn.Module, _inputs: tuple[object, ...], output: object) -> None:
        nonlocal largest
        if isinstance(output, Tensor):
            largest = max(largest, output.nbytes)

    handles = [module.register_forward_hook(see) for module in model.modules()]
    try:
        model(image)
    finally:
        for handle in handles:
            handle.remove()
    return largest
