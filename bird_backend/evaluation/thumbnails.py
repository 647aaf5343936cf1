"""Images as a run keeps them to be looked at: as they are where they are small, else shrunk."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

__all__ = ["SIDE", "thumbnails"]

SIDE = 64
"""Pixels: a run keeps a thousand and more, which at 224 pixels a side would be 200 MB."""


def thumbnails(images: Tensor, side: int) -> np.ndarray:
    """uint8 [N,T,T,3] of uint8 images [N,3,S,S], with T the smaller of S and `side`; what networks see stays S."""
    if images.shape[-1] > side:
        small = functional.interpolate(images.float(), size=(side, side), mode="area")
        images = small.round_().to(images.dtype)
    pictures: np.ndarray = images.permute(0, 2, 3, 1).cpu().numpy()
    return pictures
