"""A network of one's own as the backend's parts take networks, and one's own images as they take images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bird_backend.datasets import Split
from bird_backend.errors import InputError

__all__ = ["Seen", "Transform", "device_of", "read_images"]

Transform = Callable[[Tensor], Tensor]
"""From images [B, 3, H, W] of numbers from 0 to 1 to what a network takes, all of a batch at once.

torchvision's `Normalize`, or a `Compose` of it and others, is one. Attacks want it differentiable.
"""


class Seen(nn.Module):
    """The network behind its own preparation: it takes what all of the backend's networks take.

    Its layers are those of the network with `network.` before them. It is in the network's mode.
    """

    def __init__(self, network: nn.Module, transform: Transform | None) -> None:
        super().__init__()
        self.network = network
        self.training = network.training
        self._transform = transform

    def forward(self, images: Tensor) -> Tensor:
        """`images` are (x − 0.5) / 0.25 of x from 0 to 1, which is also what a network without a transform gets."""
        ready = images if self._transform is None else self._transform((images + 2) / 4)
        outputs: Tensor = self.network(ready.to(_dtype_of(self.network)))
        return outputs


def device_of(network: nn.Module) -> torch.device:
    """Where its parameters are; the CPU for one without any."""
    found = next(network.parameters(), None)
    return torch.device("cpu") if found is None else found.device


def read_images(images: Any, labels: Any, classes: Sequence[str] | None, what: str) -> tuple[Split, tuple[str, ...]]:
    """Images and labels as tensors or arrays, made a split on the CPU, and the classes' names.

    Images are uint8 from 0 to 255 or numbers from 0 to 1, [N,3,H,W], [N,H,W,3], [N,1,H,W] or [N,H,W]; whatever else
    they are is an `InputError` that begins with `what`.
    """
    pixels = _tensor(images, what)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or not len(pixels):
        raise InputError(f"{what}: images are [N,3,H,W] or [N,H,W,3], not {list(pixels.shape)}.")
    if pixels.shape[1] not in (1, 3):
        pixels = pixels.permute(0, 3, 1, 2)
    if pixels.shape[1] not in (1, 3):
        raise InputError(f"{what}: images have one or three channels, and these are {list(pixels.shape)}.")
    if pixels.dtype != torch.uint8:
        if not pixels.is_floating_point() or not bool(((pixels >= 0) & (pixels <= 1)).all()):
            raise InputError(
                f"{what}: images are uint8 from 0 to 255 or numbers from 0 to 1, before any normalisation, which"
                " `transform` does."
            )
        pixels = (pixels * 255).round().to(torch.uint8)
    numbers = _tensor(labels, what)
    if numbers.shape != pixels.shape[:1] or numbers.is_floating_point() or bool((numbers < 0).any()):
        raise InputError(f"{what}: labels are whole numbers from 0, one for each of the {len(pixels)} images.")
    count = int(numbers.max()) + 1
    if classes is not None and len(classes) < count:
        raise InputError(f"{what}: the labels go up to {count - 1}, and {len(classes)} classes are named.")
    named = tuple(map(str, classes)) if classes is not None else tuple(str(label) for label in range(count))
    return Split(images=pixels.expand(-1, 3, -1, -1).contiguous(), labels=numbers.long()), named


def _dtype_of(network: nn.Module) -> torch.dtype:
    return next((each.dtype for each in network.parameters() if each.is_floating_point()), torch.float32)


def _tensor(values: Any, what: str) -> Tensor:
    try:
        found = values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: these are no images and labels ({error}).") from None
    return found.detach().cpu()
