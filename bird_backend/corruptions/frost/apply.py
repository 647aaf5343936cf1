"""Frost: a piece of a picture of ice crystals laid over the image."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from bird_backend.corruptions.textures import load_textures

__all__ = ["frost"]


def frost(
    images: Tensor,
    generator: torch.Generator,
    *,
    kept: float,
    added: float,
    scale: float,
    frost_textures: Path | None = None,
) -> Tensor:
    """`kept` times the image plus `added` times a random piece of one of five pictures, another for each image.

    The pictures are the project's own (`crystals.draw_frost`), or those of the folder `frost_textures`, subsampled to
    `scale` of their size. The project's were drawn for a fifth and are enlarged for more, and for images that outgrow
    them; a folder's that are too small are an `InputError`.
    """
    height, width = images.shape[-2:]
    textures = load_textures(frost_textures, scale, height, width, images.device)
    chance = torch.rand((3, len(images)), generator=generator, device=images.device)
    which = (chance[0] * len(textures.heights)).long()
    # As published, a piece never reaches the last row or column, unless it is as large as the picture.
    down = (chance[1] * (textures.heights[which] - height).clamp_min(1)).long() + textures.tops[which]
    across = (chance[2] * (textures.widths[which] - width).clamp_min(1)).long()
    windows = textures.pixels.unfold(1, height, 1).unfold(2, width, 1).permute(1, 2, 0, 3, 4)
    ice = windows[down, across].to(torch.float32)
    return ice.mul_(added / 255).add_(images, alpha=kept)
