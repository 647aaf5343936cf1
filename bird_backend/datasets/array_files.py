"""`arrays:PATH`: images and labels as arrays, in one `.npz` or as `.npy` files of a folder.

Arrays are called `images` and `labels` (or x and y, data and targets), or by split, such as `x_train`, `y_train`,
`test_images`, `val_labels`; `classes` may name the classes. Images are [N,H,W], [N,H,W,C] or [N,C,H,W] with 1, 3 or 4
channels: whole numbers from 0 to 255, 16 bits, or floats from 0 to 1 or to 255.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bird_backend import settings
from bird_backend.catalog import own_image_size
from bird_backend.datasets.dataset import Dataset, Images, Labels, Progress
from bird_backend.datasets.npy import open_npy
from bird_backend.datasets.reading import Reading, why_size
from bird_backend.datasets.resizing import resized
from bird_backend.datasets.splits import check_class_sizes, cut, origins
from bird_backend.datasets.store import PARTS, Contents, ImageStore, through_cache
from bird_backend.errors import InputError, is_plain
from bird_backend.specs import ImageSize

__all__ = ["load_arrays"]

_Array = npt.NDArray[Any]
_ROLES = {"train": ("train", "training"), "validation": ("val", "valid", "validation", "dev"), "test": ("test",)}
_IMAGES, _LABELS = ("images", "x", "data", "image"), ("labels", "y", "targets", "label")
_CLASSES = ("classes", "class_names", "label_names")
_AT_ONCE = 256
_CHANNELS = (1, 3, 4)


def load_arrays(path: Path, size: ImageSize, progress: Progress, *, name: str = "") -> Dataset:
    """The data set in an `.npz`, or in a folder of `.npy` files; called `name`, if it has another.

    Anything that makes it unusable is an `InputError`.
    """
    name = name or f"arrays:{path}"

    def read(store: ImageStore, asked: ImageSize) -> Contents:
        arrays = _open(path)
        found = {part: pair for part in PARTS if (pair := _pair(name, arrays, part)) is not None}
        if "train" not in found:
            there = ", ".join(sorted(arrays)) or "nothing"
            raise InputError(
                f"{name} has no images and labels to learn from, such as x_train and y_train, but {there}."
            )
        classes, labels = _classes(name, arrays, {part: labels for part, (_, labels) in found.items()})
        check_class_sizes(name, classes, labels["train"])
        images = {part: _Pictures(f"{name}: {key}", arrays[key]) for part, (key, _) in found.items()}
        sizes = {picture.size for picture in images.values()}
        chosen = own_image_size(sizes) if asked == "auto" else asked
        reading = Reading(image_size=chosen, why_size=why_size(chosen, sizes))
        rows = cut(labels["train"], validation="validation" not in images, test="test" not in images)
        reading.origins = origins(rows)
        store.begin(chosen)
        total, done = sum(len(each) for each in labels.values()), 0
        for part in PARTS:
            source = part if part in images and part not in rows else "train"
            places = rows.get(part, np.arange(len(labels[source])))
            for start in range(0, len(places), _AT_ONCE):
                progress(f"Reading image {done + 1:,} of {total:,}", done / total)
                at = places[start : start + _AT_ONCE]
                store.add_all(part, resized(images[source].take(at, reading), chosen), labels[source][at])
                done += len(at)
        return Contents(classes=classes, reading=reading)

    return through_cache(name, size, read)


class _Pictures:
    """An array of images, looked at as uint8 [N,3,H,W] a few at a time."""

    def __init__(self, where: str, array: _Array) -> None:
        self._where, self._array = where, array
        if array.ndim == 3:
            self._channels_at = None
            height, width = array.shape[1:]
        elif array.ndim == 4 and array.shape[3] in _CHANNELS:
            self._channels_at = 3
            height, width = array.shape[1:3]
        elif array.ndim == 4 and array.shape[1] in _CHANNELS:
            self._channels_at = 1
            height, width = array.shape[2:]
        else:
            raise InputError(f"{where} has the shape {list(array.shape)}; images are [N,H,W], [N,H,W,C] or [N,C,H,W].")
        self.size = width, height
        if width * height > settings.MAX_IMAGE_PIXELS or min(self.size) < 1:
            raise InputError(f"{where} has images of {width}×{height} pixels, which are not used.")
        self._to_levels = self._scale()

    def take(self, rows: npt.NDArray[np.intp], reading: Reading) -> Images:
        """Those images, counted."""
        levels = self._to_levels(self._array[rows])
        if self._channels_at is None:
            levels = levels[:, None]
        elif self._channels_at == 3:
            levels = levels.transpose(0, 3, 1, 2)
        see_through = 0
        if levels.shape[1] == 4:
            alpha = levels[:, 3:].astype(np.float32) / 255
            see_through = int((alpha < 1).any(axis=(1, 2, 3)).sum())
            levels = np.rint(levels[:, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
        reading.add_many(self.size, len(levels), see_through)
        return np.broadcast_to(levels, (len(levels), 3, *levels.shape[2:]))

    def _scale(self) -> Callable[[_Array], npt.NDArray[np.uint8]]:
        array, kind = self._array, self._array.dtype.kind
        if array.dtype == np.uint8:
            return np.asarray
        if array.dtype == np.uint16:
            return lambda part: (part >> 8).astype(np.uint8)
        if kind == "b":
            return lambda part: part.astype(np.uint8) * 255
        if kind not in "iuf":
            raise InputError(f"{self._where} holds {array.dtype}; images are numbers.")
        low, high = _range(array)
        if not (0 <= low <= high <= 255):
            raise InputError(
                f"{self._where} has numbers from {low:g} to {high:g}; images are from 0 to 255, or from 0 to 1."
            )
        times = 255 if kind == "f" and high <= 1 else 1
        return lambda part: np.rint(part.astype(np.float32) * times).astype(np.uint8)


def _range(array: _Array) -> tuple[float, float]:
    """The least and the largest number, a part at a time: the array may be a map of a large file. NaN where one is."""
    parts = [array[start : start + _AT_ONCE] for start in range(0, len(array), _AT_ONCE)]
    ends = np.array([(part.min(), part.max()) for part in parts], dtype=np.float64)
    return (float(ends[:, 0].min()), float(ends[:, 1].max())) if len(ends) else (0.0, 0.0)


def _open(path: Path) -> Mapping[str, _Array]:
    """Arrays by their names in small letters."""
    if (real := settings.found(path)) is None:
        raise InputError(f"There is nothing at {path}.")
    if real.is_dir():
        return {file.stem.lower(): open_npy(file) for file in sorted(real.glob("*.npy"))}
    if real.suffix.lower() != ".npz" and not zipfile.is_zipfile(real):
        raise InputError(f"{path} is neither an .npz file nor a folder of .npy files.")
    try:
        with zipfile.ZipFile(real) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > settings.MAX_UNPACKED_BYTES:
            limit = settings.MAX_UNPACKED_BYTES / 2**30
            raise InputError(f"{path} unpacks to more than {limit:g} GiB; save its arrays as .npy files in a folder.")
        with np.load(real, allow_pickle=False) as file:
            return {key.lower(): file[key] for key in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(f"{path} can't be read as an .npz of numbers: {error}.") from error


def _pair(name: str, arrays: Mapping[str, _Array], part: str) -> tuple[str, _Array] | None:
    """The name of a split's images, and its labels; none where neither is there."""
    images = next((key for key in _names(part, _IMAGES) if key in arrays), None)
    labels = next((key for key in _names(part, _LABELS) if key in arrays), None)
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, wanted = (images, "labels") if labels is None else (labels, "images")
        raise InputError(f"{name} has {there} but no {wanted} to go with it.")
    numbers = arrays[labels]
    if numbers.ndim == 2 and numbers.shape[1] > 1:
        numbers = numbers.argmax(axis=1)  # one column a class
    numbers = numbers.reshape(-1)
    if len(numbers) != len(arrays[images]):
        raise InputError(f"{name} has {len(arrays[images]):,} {images} and {len(numbers):,} {labels}.")
    if numbers.dtype.kind == "f" and not (np.isfinite(numbers) & (numbers == np.rint(numbers))).all():
        raise InputError(f"{name}: {labels} are not whole numbers.")
    return images, numbers.astype(np.int64) if numbers.dtype.kind in "fb" else numbers


def _names(part: str, words: tuple[str, ...]) -> Iterator[str]:
    for role in _ROLES[part]:
        for word in words:
            yield from (f"{word}_{role}", f"{role}_{word}")
    if part == "train":
        yield from words


def _classes(
    name: str, arrays: Mapping[str, _Array], given: Mapping[str, _Array]
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    """The classes' names, and labels that count them from 0: in the order of the numbers, or of the words."""
    values = np.unique(given["train"])
    if values.dtype.kind not in "iuU":
        raise InputError(f"{name} has labels of {values.dtype}; they are whole numbers or words.")
    if len(values) < 2:
        raise InputError(f"{name} has only one class, {values.tolist()}; there have to be at least two.")
    labels = {}
    for part, found in given.items():
        if strange := sorted(set(np.unique(found).tolist()) - set(values.tolist())):
            raise InputError(f"{name} has {part} images of {strange[0]!r}, a class without training images.")
        labels[part] = np.searchsorted(values, found).astype(np.int64)
    named = next((arrays[key] for key in _CLASSES if key in arrays), None)
    if named is None or values.dtype.kind == "U":
        classes = tuple(str(value) for value in values.tolist())
    elif named.ndim != 1 or not (values.min() >= 0 and values.max() < len(named)):
        raise InputError(
            f"{name} has the names of {named.size} classes and labels from {values.min()} to {values.max()}."
        )
    else:
        classes = tuple(str(named[value]) for value in values.tolist())
    if odd := [label for label in classes if not is_plain(label)]:
        raise InputError(f"{name} has a class whose name is not plain text (UTF-8), {odd[0]!r}; rename it.")
    return classes, labels
