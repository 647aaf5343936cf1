"""An image file becomes a square of RGB: common formats only, nothing too large, no decoder's complaint unexplained."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bird_backend import settings
from bird_backend.datasets.dataset import Images
from bird_backend.errors import InputError

__all__ = ["DECODER", "SUFFIXES", "UNREADABLE", "BrokenImageError", "Decoded", "decode", "quiet", "square_of"]

DECODER = 1
"""Another number where the same file gives other pixels: what was decoded before is decoded again."""
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
UNREADABLE = "can't be read from where it lies"
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Pillow knows more, some of which start other programs."""
_DRAFT = 4
"""JPEGs are decoded at a fraction of their size that is at least so many times the square's."""
_SMALLEST = 4
"""An image with a side of fewer pixels shows nothing."""
_SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations of an image that lies on its side."""


class BrokenImageError(InputError):
    """One image that can't be used; `reason` says why in words that are the same for many."""

    def __init__(self, label: str, reason: str, detail: str = "") -> None:
        super().__init__(f"{label} can't be used as an image: {detail or reason}.")
        self.reason = reason


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Pillow's warnings are about things `decode` either refuses or means to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """An image as networks get it, uint8 [3,S,S]; its file's size upright, and whether one sees through it."""

    pixels: Images
    width: int
    height: int
    transparent: bool


def decode(data: bytes, label: str, size: int) -> Decoded:
    """An image file as RGB of `size` pixels a side; `label` names it in the `BrokenImageError` for one that can't be.

    The first frame, turned as its EXIF data says, what shows through it white, squeezed to a square. More than eight
    bits a channel are scaled, not clipped: by the range of 16 bits, else of the numbers (0 to 1, or what they span).
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height <= settings.MAX_IMAGE_PIXELS and min(width, height) >= _SMALLEST:
                # Lets JPEG decode at a fraction of its size.
                image.draft("RGB", (_DRAFT * size, _DRAFT * size))
                return square_of(image, size, width=width, height=height)
    except Image.DecompressionBombError:
        raise BrokenImageError(label, _too_large()) from None
    except UnidentifiedImageError:
        raise BrokenImageError(label, "not a PNG, JPEG, WebP, BMP, GIF, TIFF or PPM file") from None
    except Exception as error:  # decoders raise whatever their format's parser stumbles over
        raise BrokenImageError(label, "cut short or damaged", str(error) or type(error).__name__) from error
    small = min(width, height) < _SMALLEST
    raise BrokenImageError(label, f"smaller than {_SMALLEST} pixels on a side" if small else _too_large())


def square_of(image: Image.Image, size: int, *, width: int, height: int) -> Decoded:
    """An opened image, `width` × `height` as it lies in its file, as `decode` makes it."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS:
        width, height = height, width
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        upright = Image.fromarray(_eight_bits(np.asarray(upright)))
    transparent = upright.has_transparency_data
    square = upright.convert("RGBA" if transparent else "RGB")
    if square.size != (size, size):
        square = square.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    if transparent:
        # Over white: such pictures are drawn to stand on a page. The colour a file keeps under nothing is arbitrary.
        square = Image.alpha_composite(Image.new("RGBA", square.size, "white"), square).convert("RGB")
    pixels = np.asarray(square, dtype=np.uint8).transpose(2, 0, 1)
    return Decoded(pixels=pixels, width=width, height=height, transparent=transparent)


def _eight_bits(levels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Grey levels [H,W] of 16 or 32 bits or as floats, brought to 0 to 255."""
    if levels.dtype.itemsize == 2:
        return (levels.astype(np.uint16) >> 8).astype(np.uint8)
    numbers = np.nan_to_num(levels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if levels.dtype.kind == "i" and low >= 0 and high <= 0xFFFF:
        return (levels.astype(np.int64) >> 8).astype(np.uint8)  # 16 bits, which some formats hand on as 32
    if levels.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.rint((numbers - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)


def _too_large() -> str:
    return f"more than {settings.MAX_IMAGE_PIXELS:,} pixels, the most an image may have"
