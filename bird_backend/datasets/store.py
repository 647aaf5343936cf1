"""Data sets through the cache in the home: read and decoded once, memory-mapped ever after.

The images of a split lie together, training first, so that a split is a part of the map.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from bird_backend.datasets.dataset import Dataset, Images, Labels, Split
from bird_backend.datasets.images import DECODER
from bird_backend.datasets.npy import open_npy
from bird_backend.datasets.reading import Reading
from bird_backend.errors import InputError, RunError
from bird_backend.runs.fingerprints import data_fingerprint
from bird_backend.runs.image_cache import cache_key, discard_entry, find_entry, keep_entry, new_entry
from bird_backend.specs import ImageSize

__all__ = ["PARTS", "Contents", "ImageStore", "through_cache"]

PARTS = ("train", "validation", "test")
_IMAGES, _LABELS = "images.npy", "labels.npy"
_HEADER_BYTES = 128
_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a data set is beside its images: the names of its classes, and what was found while it was read."""

    classes: tuple[str, ...]
    reading: Reading | None = None


class ImageStore:
    """Images on their way into the cache, split after split in the order of `PARTS`."""

    def __init__(self, stack: ExitStack) -> None:
        """The cache is touched at the first `begin`, since what can't be used leaves no trace; `stack` clears up."""
        self._stack = stack
        self._file: IO[bytes] | None = None
        self.folder = Path()
        self.size = 0
        self.labels: list[int] = []
        self.counts: Counter[str] = Counter()
        self._waiting: list[Images] = []

    def begin(self, size: int) -> None:
        """Forget what there is, and take images of `size` pixels a side."""
        self.size, self.labels, self.counts, self._waiting = size, [], Counter(), []
        if self._file is None:
            self.folder = self._stack.enter_context(new_entry())
            self._file = self._stack.enter_context((self.folder / _IMAGES).open("wb"))
        self._file.seek(_HEADER_BYTES)
        self._file.truncate()

    def add(self, part: str, image: Images, label: int) -> None:
        """One image, uint8 [3,S,S]."""
        self._waiting.append(image)
        self.labels.append(label)
        self.counts[part] += 1
        if len(self._waiting) == _BATCH:
            self._flush()

    def add_all(self, part: str, images: Images, labels: Labels) -> None:
        """Many, uint8 [N,3,S,S] with labels [N]."""
        for start in range(0, len(images), _BATCH):
            self._write(images[start : start + _BATCH])
        self.labels += labels.tolist()
        self.counts[part] += len(labels)

    def close(self) -> None:
        """Write what is left, a header that says how many there are, and the labels."""
        self._flush()
        file = self._begun()
        shape = (len(self.labels), 3, self.size, self.size)
        text = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode("latin1")
        file.seek(0)
        prefix = np.lib.format.magic(1, 0) + (_HEADER_BYTES - 10).to_bytes(2, "little")
        file.write(prefix + text.ljust(_HEADER_BYTES - 11) + b"\n")
        file.flush()
        os.fsync(file.fileno())
        file.close()
        np.save(self.folder / _LABELS, np.array(self.labels, dtype=np.int64))

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._write(np.stack(waiting))

    def _write(self, images: Images) -> None:
        self._begun().write(np.ascontiguousarray(images).tobytes())

    def _begun(self) -> IO[bytes]:
        if self._file is None:
            raise ValueError("a store takes images once it has begun")
        return self._file


def through_cache(name: str, image_size: ImageSize, read: Callable[[ImageStore, ImageSize], Contents]) -> Dataset:
    """The data set `name` at that size from the cache, else as `read` puts it into a store, which is kept.

    Own images that change while they are read are an `InputError`: nobody knows which of them they were.
    """
    fingerprint = data_fingerprint(name, fresh=True)
    key = cache_key(fingerprint, image_size, DECODER)
    if (found := find_entry(key)) is not None:
        try:
            return _open(name, image_size, *found)
        except (InputError, KeyError, ValueError, TypeError):
            discard_entry(found[0].name)
    with ExitStack() as stack:
        store = ImageStore(stack)
        contents = read(store, image_size)
        store.close()
        if data_fingerprint(name, fresh=True) != fingerprint:
            raise InputError(f"{name} changed while it was read; try again once nothing is being added to it.")
        about = {
            "name": name,
            "image_size": store.size,
            "classes": list(contents.classes),
            "counts": {part: store.counts[part] for part in PARTS},
            "reading": None if contents.reading is None else contents.reading.as_dict(),
            "remarks": [] if contents.reading is None else contents.reading.remarks(),
        }
        place = keep_entry(store.folder, cache_key(fingerprint, store.size, DECODER), about, also=key)
        found = find_entry(place.name)
    if found is None:
        raise RunError(f"The decoded images of {name} are gone from {place.parent}; start the run anew.")
    return _open(name, image_size, *found)


def _open(name: str, asked: ImageSize, folder: Path, about: dict[str, Any]) -> Dataset:
    # Torch has no tensors that can't be written to.
    images, labels = open_npy(folder / _IMAGES, private=True), open_npy(folder / _LABELS)
    reading = about["reading"]
    if reading is not None and asked != "auto":
        reading["why_size"] = "asked for"
    counts = [int(about["counts"][part]) for part in PARTS]
    size = int(about["image_size"])
    if images.shape != (sum(counts), 3, size, size) or len(labels) != len(images):
        raise ValueError("another number of images than it says")
    mapped = torch.from_numpy(images)
    numbers = torch.from_numpy(np.array(labels))
    ends = np.cumsum(counts)
    splits = {
        part: Split(images=mapped[end - count : end], labels=numbers[end - count : end])
        for part, count, end in zip(PARTS, counts, ends.tolist(), strict=True)
    }
    return Dataset(
        name=name,
        classes=tuple(str(label) for label in about["classes"]),
        reading=reading,
        remarks=tuple(str(said) for said in about["remarks"]),
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
    )
