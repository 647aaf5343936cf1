"""How a corruption is applied to a batch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from bird_backend import settings
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES, Corruption
from bird_backend.corruptions.levels import to_levels
from bird_backend.errors import InputError

__all__ = ["corrupt"]


def corrupt(
    images: Tensor,
    name: str,
    severity: int,
    *,
    generator: torch.Generator,
    faithful: bool = False,
    frost_textures: Path | None = None,
) -> Tensor:
    """A corrupted copy of `images` [B,3,H,W], uint8 or floating point in [0,1], of the same dtype and device.

    The constants are those for the images' shorter side. Severity 0 copies. uint8 results are 255x cut down to whole
    levels, as in the published scripts. `generator` lives on the images' device. Only floating-point input is checked
    for its range, which waits for the device.

    `faithful` keeps a slip of the published script, whose glass blur copies pixels where it means to swap them.
    `frost_textures` is a folder of pictures to lay over the images in place of the project's own.
    """
    corruption = CORRUPTIONS.find(name)
    top = len(SEVERITIES)
    if isinstance(severity, bool) or not isinstance(severity, int) or not 0 <= severity <= top:
        raise InputError(f"The severity of {name} is a whole number from 0 to {top}, not {severity!r}.")
    _check(images)
    if frost_textures is not None and settings.found(frost_textures) is None:
        raise InputError(f"The folder of frost pictures {frost_textures} can't be read: No such file or directory.")
    options = {"faithful": faithful, "frost_textures": frost_textures}
    return _apply(images, corruption, severity, generator, options)


def _apply(
    images: Tensor,
    corruption: Corruption,
    severity: int,
    generator: torch.Generator,
    options: Mapping[str, object] | None = None,
) -> Tensor:
    if severity == 0:
        return images.clone()
    taken = {key: value for key, value in (options or {}).items() if key in corruption.options}
    constants = corruption.constants_for(min(images.shape[2:]))[severity - 1]
    if images.dtype != torch.uint8:
        floats = images.to(torch.float32)
        result: Tensor = corruption.function(floats, generator, **constants, **taken)
        return result.clamp(0, 1).to(images.dtype)
    # In place: a second buffer of this size costs a CPU more in page faults than many of the functions do in all.
    floats = images.to(torch.float32).div_(255)
    return to_levels(corruption.function(floats, generator, **constants, **taken).clamp_(0, 1)).to(torch.uint8)


def _check(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        raise InputError(f"Images to corrupt have the shape [B,3,H,W], not {list(images.shape)}.")
    if images.numel() == 0:
        raise InputError(f"There is nothing to corrupt in images of the shape {list(images.shape)}.")
    if images.dtype == torch.uint8:
        return
    if not images.is_floating_point():
        raise InputError(f"Images to corrupt are uint8, or floating point in [0,1], not {images.dtype}.")
    low, high = (float(end) for end in images.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise InputError(f"Floating-point images to corrupt lie in [0,1]; these reach from {low:g} to {high:g}.")
