"""JPEG at a quality level: what libjpeg makes of an image when it writes and reads it as Pillow does (baseline, 4:2:0).

ITU-T T.81; the tables are its Annex K. Every rounding of libjpeg's is repeated, that of its "islow" DCT included. Whole
numbers in float32 stay whole wherever products are below 2²⁴, which is nearly everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["jpeg_compression"]

_BLOCK = 8
_FIXED = 65536  # libjpeg's colour constants are whole 65536ths, and so exact in float32
_RED, _GREEN, _BLUE = (
    (19595 / _FIXED, -11059 / _FIXED, 32768 / _FIXED),
    (38470 / _FIXED, -21709 / _FIXED, -27439 / _FIXED),
    (7471 / _FIXED, 32768 / _FIXED, -5329 / _FIXED),
)
"""What each adds to Y, Cb and Cr."""
_CR_TO_RED, _CB_TO_BLUE = 91881 / _FIXED, 116130 / _FIXED
_CB_TO_GREEN, _CR_TO_GREEN = -22554 / _FIXED, -46802 / _FIXED

_Table = tuple[tuple[int, ...], ...]

_COSINE_SCALE = 8192
_COSINES = (
    (8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260),
    (10703, 4433, -4433, -10703),
    (9633, -2259, -11362, -6436),
    (8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633),
    (4433, -10704, 10704, -4433),
    (2260, -6436, 9633, -11363),
)
"""√8 times the orthonormal DCT's left half, as libjpeg's integers come to; odd rows go on with reversed sign."""

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)


@torch.no_grad()
def jpeg_compression(images: Tensor, _generator: torch.Generator, *, quality: int) -> Tensor:
    """Written and read again at `quality` from 1 to 100. Works on whole levels, and so has no gradients."""
    height, width = images.shape[-2:]
    device = images.device
    with torch.autocast(device.type, enabled=False):
        levels = _extended(_extended(images.mul(255).round_(), 2 * _BLOCK, dim=-1), 2, dim=-2)
        luma = _extended(_luma(levels), _BLOCK, dim=-2)
        chroma = _extended(_halved_chroma(levels), _BLOCK, dim=-2)
        luma = _through_blocks(luma, _LUMA, quality)[:, :height, :width]
        chroma = _doubled(_through_blocks(chroma, _CHROMA, quality), height, width)
        return _to_rgb(luma, chroma)


def _luma(levels: Tensor) -> Tensor:
    """Y - 128 [B,H,W] in whole levels."""
    return _mixed(levels, 0, torch.empty_like(levels[:, 0])).add_(0.5 - 128).floor_()


def _halved_chroma(levels: Tensor) -> Tensor:
    """Cb, then Cr, less 128, at half the size [2B,H/2,W/2]: means of four, halves rounded down, up, down."""
    count, _, height, width = levels.shape
    full = levels.new_empty((2, count, height, width))
    for part, plane in enumerate(full, start=1):
        _mixed(levels, part, plane)
    full.add_(0.5 - 1 / _FIXED).floor_()
    rows = full[:, :, ::2] + full[:, :, 1::2]
    sums = rows[..., ::2] + rows[..., 1::2]
    halved = sums.mul_(0.25).add_(_alternating(width // 2, 0.25, 0.5, levels.device)).floor_()
    return halved.view(2 * count, height // 2, width // 2)


def _mixed(levels: Tensor, part: int, out: Tensor) -> Tensor:
    red, green, blue = levels.unbind(1)
    return torch.mul(red, _RED[part], out=out).add_(green, alpha=_GREEN[part]).add_(blue, alpha=_BLUE[part])


def _through_blocks(plane: Tensor, table: _Table, quality: int) -> Tensor:
    """A plane [N,H,W] of levels around 0, sides multiples of 8, to its quantised cosine coefficients and back."""
    coding = _coding(table, quality, plane.device)
    count, height, width = plane.shape
    tiles = plane.view(count, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(2, 3)
    blocks = tiles.reshape(-1, _BLOCK * _BLOCK)
    for direction in coding.forward:
        blocks = torch.addmm(coding.half, blocks, direction).floor_()
    blocks.mul_(coding.steps).round_()
    for direction in coding.backward:
        blocks = torch.addmm(coding.half, blocks, direction).floor_()
    return blocks.clamp_(-128, 127).view(tiles.shape).transpose(2, 3).reshape(count, height, width)


def _doubled(chroma: Tensor, height: int, width: int) -> Tensor:
    """Cb and Cr [2,B,H,W] at the image's size: libjpeg's "fancy" upsampling."""
    tall, wide = (height + 1) // 2, (width + 1) // 2
    device = chroma.device
    smooth = wide > 2  # libjpeg repeats the values of narrower images
    across = chroma[:, :tall, :wide] @ _doubling(wide, smooth, device).T
    full = _doubling(tall, smooth, device) @ across
    full.add_(_alternating(2 * wide, 8 / 16, 7 / 16, device)).floor_()
    return full.view(2, -1, 2 * tall, 2 * wide)[..., :height, :width]


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    """Y [B,H,W] and Cb, Cr [2,B,H,W], all around 0, to images [B,3,H,W] around [0,1]."""
    cb, cr = chroma.unbind(0)
    images = luma.new_empty((len(luma), 3, *luma.shape[1:]))
    red, green, blue = images.unbind(1)
    torch.mul(cr, _CR_TO_RED, out=red)
    torch.mul(cb, _CB_TO_GREEN, out=green).add_(cr, alpha=_CR_TO_GREEN)
    torch.mul(cb, _CB_TO_BLUE, out=blue)
    return images.add_(128.5).floor_().add_(luma[:, None]).div_(255)


def _extended(planes: Tensor, multiple: int, *, dim: int) -> Tensor:
    """The last row or column repeated until the side is a whole `multiple`."""
    size = planes.shape[dim]
    full = -(-size // multiple) * multiple
    if full == size:
        return planes
    return planes.index_select(dim, _repeated_end(size, full, planes.device))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coding:
    """Matrices [64,64] for blocks [N,64]: every one a product and a rounding; `steps` divide."""

    forward: tuple[Tensor, Tensor]
    steps: Tensor
    backward: tuple[Tensor, Tensor]
    half: Tensor


@lru_cache(maxsize=64)
def _coding(table: _Table, quality: int, device: torch.device) -> _Coding:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps = ((np.array(table).reshape(-1) * scale + 50) // 100).clip(1, 255).astype(np.float64)
    left = np.array(_COSINES) / _COSINE_SCALE
    cosines = np.hstack((left, left[:, ::-1] * (-1) ** np.arange(_BLOCK)[:, None]))
    along_rows, along_columns = np.kron(np.eye(_BLOCK), cosines), np.kron(cosines, np.eye(_BLOCK))

    def constant(values: npt.NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)

    # Two bits are kept between the directions; both together make √8² = 8 of every value, there and back.
    return _Coding(
        forward=(constant(4 * along_rows.T), constant(along_columns.T / 4)),
        # Halves are rounded away from zero: of whole eighths, a hair more than the step moves nothing else.
        steps=constant((1 + 1e-5) / (8 * steps)),
        backward=(constant(4 * steps[:, None] * along_columns), constant(along_rows / 32)),
        half=constant(np.full(_BLOCK * _BLOCK, 0.5)),
    )


@lru_cache(maxsize=64)
def _doubling(size: int, smooth: bool, device: torch.device) -> Tensor:
    """[2 size, size]: each value twice, three parts to one of its neighbour on that side; ends and flat ones repeat."""
    matrix = np.zeros((2 * size, size), dtype=np.float32)
    for i in range(size):
        for row, neighbour in ((2 * i, max(i - 1, 0)), (2 * i + 1, min(i + 1, size - 1))):
            matrix[row, i] += 0.75
            matrix[row, neighbour if smooth else i] += 0.25
    return torch.from_numpy(matrix).to(device)


@lru_cache(maxsize=64)
def _alternating(size: int, even: float, odd: float, device: torch.device) -> Tensor:
    return torch.tensor([even, odd] * -(-size // 2), dtype=torch.float32)[:size].to(device)


@lru_cache(maxsize=64)
def _repeated_end(size: int, full: int, device: torch.device) -> Tensor:
    return torch.arange(full, device=device).clamp_(max=size - 1)
