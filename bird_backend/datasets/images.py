"""An image file becomes 32×32 RGB: only common formats, nothing too large, and no decoder's complaint unexplained."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bird_backend import settings
from bird_backend.datasets.dataset import IMAGE_SIZE, Images
from bird_backend.errors import InputError

__all__ = ["SUFFIXES", "decode", "quiet"]

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Pillow knows more, some of which start other programs."""
_DRAFT = 4 * IMAGE_SIZE


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Pillow's warnings are about things `decode` either refuses or means to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decode(data: bytes, label: str) -> Images:
    """uint8 [3,32,32] of an image file; `label` names it in the `InputError` for one that can't be read.

    The first frame, turned as its EXIF data says, without its transparency, squeezed to a square.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height <= settings.MAX_IMAGE_PIXELS:
                return _square(image)
    except Image.DecompressionBombError:
        raise InputError(_too_large(label)) from None
    except Exception as error:  # decoders raise whatever their format's parser stumbles over
        detail = "not a PNG, JPEG, WebP, BMP, GIF, TIFF or PPM file"
        if not isinstance(error, UnidentifiedImageError):
            detail = str(error) or type(error).__name__
        raise InputError(f"{label} is a broken image: {detail}.") from error
    raise InputError(_too_large(label))


def _square(image: Image.Image) -> Images:
    image.draft("RGB", (_DRAFT, _DRAFT))  # lets JPEG decode at a fraction of its size
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        upright = Image.fromarray((np.asarray(upright).astype(np.uint16) >> 8).astype(np.uint8))
    rgb = upright.convert("RGB")
    if rgb.size != (IMAGE_SIZE, IMAGE_SIZE):
        rgb = rgb.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(rgb, dtype=np.uint8).transpose(2, 0, 1)


def _too_large(label: str) -> str:
    return f"{label} has more than {settings.MAX_IMAGE_PIXELS:,} pixels, the most an image may have."
