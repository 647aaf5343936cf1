"""Corrupting a whole set in batches whose randomness depends on the seed, the cell and the batch's place alone.

So what is corrupted on the fly and what `corrupt` writes are the same bytes, and all networks see the same images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bird_backend.corruptions.applying import corrupt
from bird_backend.measures import Cell
from bird_backend.seeds import derive_seed

__all__ = ["BATCH", "Corrupting", "batch_size"]

BATCH = 500
"""32×32 images corrupted at once; another number gives other noise."""
_PIXELS = BATCH * 32 * 32


def batch_size(height: int, width: int) -> int:
    """How many images of a size are corrupted at once: `BATCH`, fewer of larger ones."""
    return max(1, min(BATCH, _PIXELS // (height * width)))


@dataclass(frozen=True, kw_only=True)
class Corrupting:
    """How a set is corrupted, everything but the images."""

    seed: int
    faithful: bool = False
    frost_textures: Path | None = None

    def batch(self, images: Tensor, cell: Cell, start: int) -> Tensor:
        """uint8 [B,3,H,W], the `batch_size` images of a set from place `start` on, corrupted."""
        name, severity = cell
        generator = torch.Generator(images.device)
        generator.manual_seed(derive_seed(self.seed, f"{name} {severity}", start))
        return corrupt(
            images, name, severity, generator=generator, faithful=self.faithful, frost_textures=self.frost_textures
        )

    def check(self, corruptions: Sequence[str], image: Tensor) -> None:
        """Corrupt one image [1,3,H,W] each way, so that what can't be done is said before hours of work are."""
        for name in corruptions:
            self.batch(image, (name, 1), 0)
