"""`folder:PATH` and `zip:PATH`: one folder of images per class, with or without train/ and test/ above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np

from bird_backend.catalog import OWN_IMAGE_SIZE, own_image_size
from bird_backend.datasets.dataset import Dataset, Images, Labels, Progress
from bird_backend.datasets.images import decode, quiet, size_of
from bird_backend.datasets.reading import Reading, why_skipped
from bird_backend.datasets.sources import ImageFile, Listing, open_folder, open_zip
from bird_backend.datasets.splits import assemble, check_class_sizes
from bird_backend.errors import InputError, is_plain
from bird_backend.specs import ImageSize

__all__ = ["load_folder", "load_zip"]

_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")
_REPORT_EVERY = 250


def load_folder(path: Path, size: ImageSize, progress: Progress) -> Dataset:
    """The data set in a folder. Anything that makes it unusable is an `InputError`."""
    return _load(f"folder:{path}", open_folder(path), size, progress)


def load_zip(path: Path, size: ImageSize, progress: Progress) -> Dataset:
    """The data set in a zip file, which may have one folder around everything."""
    return _load(f"zip:{path}", open_zip(path), size, progress)


def _load(name: str, source: AbstractContextManager[Listing], asked: ImageSize, progress: Progress) -> Dataset:
    with source as listing, quiet():
        train, test = _by_role(name, listing.files)
        outside = len(listing.files) - len(train) - len(test)
        classes = _classes(name, train, test)
        check_class_sizes(name, classes, _labels(train, classes))
        files = [*train, *test]
        reading = Reading(
            image_size=_own_size(files) if asked == "auto" else asked,
            skipped=why_skipped(listing.others, outside=outside),
        )
        images = _decode(name, files, reading, progress)
    dataset = assemble(
        name,
        classes,
        (images[: len(train)], _labels(train, classes)),
        (images[len(train) :], _labels(test, classes)) if test else None,
    )
    return replace(dataset, reading=reading)


def _by_role(name: str, files: Sequence[ImageFile]) -> tuple[list[ImageFile], list[ImageFile]]:
    """Training and test images, each with its class as the first part of its path; images in no class are left out."""
    inside = [file for file in files if len(file.parts) > 1]
    if not inside:
        raise InputError(f"{name} has no images in folders; it needs one folder of images per class.")
    while len({file.parts[0] for file in inside}) == 1 and any(len(file.parts) > 2 for file in inside):
        inside = [file.inside_first() for file in inside if len(file.parts) > 2]
    top = sorted({file.parts[0] for file in inside})
    deep = [file for file in inside if len(file.parts) > 2]
    # Only a folder of folders can be train/: "train" is also a class of CIFAR-100.
    train_folders = {file.parts[0] for file in deep if file.parts[0].lower() in _TRAIN}
    others = [folder for folder in top if folder not in train_folders]
    if not train_folders:
        return inside, []
    if len(train_folders) > 1 or len(others) > 1 or any(folder.lower() not in _TEST for folder in others):
        raise InputError(f"{name} has the folders {', '.join(top)}; beside train/ there may be only test/.")
    train = [file.inside_first() for file in deep if file.parts[0] in train_folders]
    test = [file.inside_first() for file in deep if file.parts[0] not in train_folders]
    if others and not test:
        raise InputError(f"{name}: {others[0]}/ has no folders of images; it needs one per class, like train/.")
    return train, test


def _classes(name: str, train: Sequence[ImageFile], test: Sequence[ImageFile]) -> tuple[str, ...]:
    counts = Counter(file.parts[0] for file in train)
    if odd := [label for label in counts if not is_plain(label)]:
        raise InputError(f"{name} has a class whose folder's name is not plain text (UTF-8), {odd[0]!r}; rename it.")
    if len(counts) < 2:
        raise InputError(f"{name} has only one class, {next(iter(counts))!r}; there have to be at least two.")
    if strange := sorted({file.parts[0] for file in test} - set(counts)):
        raise InputError(f"{name} has test images of {strange[0]!r}, a class without training images.")
    return tuple(sorted(counts))


def _labels(files: Sequence[ImageFile], classes: tuple[str, ...]) -> Labels:
    index = {label: i for i, label in enumerate(classes)}
    return np.array([index[file.parts[0]] for file in files], dtype=np.int64)


def _decode(name: str, files: Sequence[ImageFile], reading: Reading, progress: Progress) -> Images:
    size = reading.image_size
    images = np.empty((len(files), 3, size, size), dtype=np.uint8)
    for i, file in enumerate(files):
        if i % _REPORT_EVERY == 0:
            progress(f"Reading image {i + 1:,} of {len(files):,}", i / len(files))
        image = decode(file.read(), f"{name}: {file.name}", size)
        reading.add(image)
        images[i] = image.pixels
    return images


def _own_size(files: Sequence[ImageFile]) -> int:
    """What `own_image_size` says of them all; no further image is looked at once one does not fit the others."""
    sizes: set[tuple[int, int]] = set()
    for file in files:
        if (size := size_of(file.read())) is not None:
            sizes.add(size)
        if len(sizes) > 1:
            return OWN_IMAGE_SIZE
    return own_image_size(sizes)
