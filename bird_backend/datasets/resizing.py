"""Images that come at one size, brought to another."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from bird_backend.datasets.dataset import Images

__all__ = ["resized"]

_AT_ONCE = 1000


def resized(images: Images, size: int) -> Images:
    """uint8 [N,3,H,W] to [N,3,size,size], bicubic with antialiasing; as they are where they have that size."""
    if images.shape[2:] == (size, size):
        return images
    out = np.empty((*images.shape[:2], size, size), dtype=np.uint8)
    for start in range(0, len(images), _AT_ONCE):
        part = torch.from_numpy(np.ascontiguousarray(images[start : start + _AT_ONCE]))
        enlarged = functional.interpolate(part, size=(size, size), mode="bicubic", antialias=True)
        out[start : start + _AT_ONCE] = enlarged.numpy()
    return out
