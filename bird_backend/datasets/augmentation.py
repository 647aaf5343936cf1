"""What happens to a batch on its way into a network: crop and flip, and one fixed normalisation.

Whole batches on their own device, with no loop over images and nothing read back by the host.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bird_backend.errors import InputError

__all__ = ["SHIFT", "augment", "normalise", "normalise_levels"]

SHIFT = 1 / 8
"""Of an image's side: the usual four pixels of 32, and as much of what is seen at other sizes."""


def augment(images: Tensor, generator: torch.Generator, *, shift: bool = True, mirror: bool = True) -> Tensor:
    """Shift by up to `SHIFT` of a side each way, black coming in, and mirror every second image. [B,C,H,W], any dtype.

    Either can be left out, and leaves the other's draws as they were. What has a right way round is not to be mirrored.

    `generator` lives on the images' device and is the only source of chance.
    """
    batch, _, height, width = images.shape
    margin = round(SHIFT * min(height, width))
    offsets = 2 * margin + 1
    draw = torch.randint(offsets * offsets * 2, (batch,), generator=generator, device=images.device)
    mirrored, place = draw % 2, draw // 2
    if shift:
        padded = functional.pad(images, (margin,) * 4)
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # [B,C,offsets,offsets,H,W], a view
        which = torch.arange(batch, device=images.device)
        images = windows[which, :, place // offsets, place % offsets]
    return torch.where(mirrored.bool()[:, None, None, None], images.flip(3), images) if mirror else images


def normalise(images: Tensor) -> Tensor:
    """uint8 [B,3,H,W] to float32 (x/255 − 0.5)/0.25: the same for every data set and network.

    So a teacher and a student see the same input, and no statistics of one data set leak into another.
    """
    if images.dtype != torch.uint8:
        raise InputError(f"Images to normalise are uint8 from 0 to 255, not {images.dtype}.")
    return images.to(torch.float32).mul_(4 / 255).sub_(2)


def normalise_levels(levels: Tensor) -> Tensor:
    """The same of levels from 0 to 255 that need not be whole, float32 [B,3,H,W], as a new tensor; it has gradients."""
    return levels * (4 / 255) - 2
