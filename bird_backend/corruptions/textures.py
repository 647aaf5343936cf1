"""The pictures that frost lays over images, read once and kept on their device."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bird_backend import settings
from bird_backend.errors import InputError

__all__ = ["Textures", "load_textures"]

_OWN = settings.ASSETS / "frost"
_OWN_SCALE = 0.2
"""Of the photographs' size, as the project's own are drawn."""
_DRAWN_FROM = 5
"""The published script has six pictures and never comes to the last one."""
_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp"))
_FORMATS = ("PNG", "JPEG", "WEBP")

_Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Textures:
    """Pictures one below the other, each padded to the widest."""

    pixels: Tensor
    """uint8 [3, rows, width]."""
    tops: Tensor
    heights: Tensor
    widths: Tensor


@lru_cache(maxsize=8)
def load_textures(folder: Path | None, scale: float, height: int, width: int, device: torch.device) -> Textures:
    """The first five pictures of `folder`, or the project's own, for images of `height` × `width`.

    Both at `scale` of a photograph's size. A folder that is missing, empty or has a picture that can't be read or is
    too small is an `InputError`.
    """
    pictures = _read_own(scale, height, width) if folder is None else _read_folder(folder, scale, height, width)
    heights, widths = ([picture.shape[i] for picture in pictures] for i in (0, 1))
    pixels = np.zeros((3, sum(heights), max(widths)), dtype=np.uint8)
    tops = np.cumsum([0, *heights[:-1]])
    for top, picture in zip(tops, pictures, strict=True):
        pixels[:, top : top + picture.shape[0], : picture.shape[1]] = picture.transpose(2, 0, 1)
    return Textures(
        pixels=torch.from_numpy(pixels).to(device),
        tops=torch.tensor(tops, device=device),
        heights=torch.tensor(heights, device=device),
        widths=torch.tensor(widths, device=device),
    )


def _read_own(scale: float, height: int, width: int) -> Sequence[_Picture]:
    """Enlarged from the scale that they are drawn at, and as many times as it takes to cover the image."""
    pictures = []
    for path in _files(_OWN):
        picture = _read(path)
        times = max(scale / _OWN_SCALE, -(-height // picture.shape[0]), -(-width // picture.shape[1]))
        if times > 1:
            size = (round(picture.shape[1] * times), round(picture.shape[0] * times))
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        pictures.append(picture)
    return pictures


def _read_folder(folder: Path, scale: float, height: int, width: int) -> Sequence[_Picture]:
    pictures = []
    for path in _files(folder):
        picture = _subsampled(_read(path), scale)
        pictures.append(picture)
        if picture.shape[0] < height or picture.shape[1] < width:
            wide, tall = (math.ceil(side / scale) for side in (width, height))
            raise InputError(
                f"{path} is too small for images of {width}×{height}: a frost picture, shrunk to {scale:g} of its size,"
                f" has to cover one, so it needs {wide}×{tall} pixels."
            )
    return pictures


def _subsampled(picture: _Picture, scale: float) -> _Picture:
    """As OpenCV resizes bilinearly, with nothing averaged: for a fifth, that is every fifth pixel from the third."""
    values = picture.astype(np.float32)
    for axis in (0, 1):
        size = picture.shape[axis]
        places = ((np.arange(round(size * scale)) + 0.5) / scale - 0.5).clip(0, size - 1)
        low = places.astype(np.int64)
        part = (places - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (-1, 1))
        values = values.take(low, axis) * (1 - part) + values.take(np.minimum(low + 1, size - 1), axis) * part
    return np.rint(values).astype(np.uint8)


def _files(folder: Path) -> Sequence[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"The folder of frost pictures {folder} can't be read: {error.strerror}.") from error
    if not files:
        raise InputError(f"The folder {folder} has no frost pictures; it needs PNG, JPEG or WebP files.")
    return files[:_DRAWN_FROM]


def _read(path: Path) -> _Picture:
    """uint8 [H, W, 3]."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow only warns of is refused or harmless here
            with Image.open(path, formats=_FORMATS) as image:
                if image.width * image.height <= settings.MAX_IMAGE_PIXELS:
                    return np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError:
        pass
    except Exception as error:  # decoders raise whatever their format's parser stumbles over
        raise InputError(
            f"{path} can't be read as a frost picture: it is not a whole PNG, JPEG or WebP file."
        ) from error
    raise InputError(f"{path} has more than {settings.MAX_IMAGE_PIXELS:,} pixels, the most a frost picture may have.")
