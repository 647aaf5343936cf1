"""An image file becomes a square of RGB: common formats only, nothing too large, no decoder's complaint unexplained."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bird_backend import settings
from bird_backend.datasets.dataset import Images
from bird_backend.errors import InputError

__all__ = ["SUFFIXES", "Decoded", "decode", "quiet", "size_of"]

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Pillow knows more, some of which start other programs."""
_DRAFT = 4
"""JPEGs are decoded at a fraction of their size that is at least so many times the square's."""
_SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations of an image that lies on its side."""


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
    """An image file as RGB of `size` pixels a side; `label` names it in the `InputError` for one that can't be read.

    The first frame, turned as its EXIF data says, what shows through it white, squeezed to a square.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height <= settings.MAX_IMAGE_PIXELS:
                return _decoded(image, size)
    except Image.DecompressionBombError:
        raise InputError(_too_large(label)) from None
    except Exception as error:  # decoders raise whatever their format's parser stumbles over
        detail = "not a PNG, JPEG, WebP, BMP, GIF, TIFF or PPM file"
        if not isinstance(error, UnidentifiedImageError):
            detail = str(error) or type(error).__name__
        raise InputError(f"{label} is a broken image: {detail}.") from error
    raise InputError(_too_large(label))


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height that an image file says it has; none of one that can't be read."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return image.size
    except Exception:
        return None


def _decoded(image: Image.Image, size: int) -> Decoded:
    width, height = image.size
    if image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS:
        width, height = height, width
    image.draft("RGB", (_DRAFT * size, _DRAFT * size))  # lets JPEG decode at a fraction of its size
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        upright = Image.fromarray((np.asarray(upright).astype(np.uint16) >> 8).astype(np.uint8))
    transparent = upright.has_transparency_data
    square = upright.convert("RGBA" if transparent else "RGB")
    if square.size != (size, size):
        square = square.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    if transparent:
        # Over white: such pictures are drawn to stand on a page. The colour a file keeps under nothing is arbitrary.
        square = Image.alpha_composite(Image.new("RGBA", square.size, "white"), square).convert("RGB")
    pixels = np.asarray(square, dtype=np.uint8).transpose(2, 0, 1)
    return Decoded(pixels=pixels, width=width, height=height, transparent=transparent)


def _too_large(label: str) -> str:
    return f"{label} has more than {settings.MAX_IMAGE_PIXELS:,} pixels, the most an image may have."
