"""Data sets that are downloaded once: torchvision unpacks and parses them, a cache makes the next load quick.

Archives and their checksums are those of torchvision's classes, and lie where those look for them.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bird_backend import catalog, settings
from bird_backend.datasets.dataset import Dataset, Images, Labels, Progress
from bird_backend.datasets.downloader import Archive, fetch
from bird_backend.datasets.embedded import pad
from bird_backend.datasets.images import decode, quiet
from bird_backend.datasets.resizing import resized
from bird_backend.datasets.splits import cut
from bird_backend.datasets.store import Contents, ImageStore, through_cache
from bird_backend.errors import RunError
from bird_backend.specs import ImageSize

__all__ = ["PARSERS", "TINY_IMAGENET", "Parsed", "load_download"]

Parsed = tuple[tuple[str, ...], tuple[Images, Labels], tuple[Images, Labels]]
"""Classes, training images and labels, test images and labels; the images have the catalogue's size."""

TINY_IMAGENET = ("http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de")


def load_download(name: str, size: int, progress: Progress) -> Dataset:
    """The data set `name` from the cache, else from its archives, which are fetched if they are not there."""

    def read(store: ImageStore, _asked: ImageSize) -> Contents:
        try:
            with quiet():
                classes, train, test = PARSERS[name](settings.data_dir(), progress)
        except (OSError, ValueError, LookupError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise RunError(
                f"The files of {name} in {settings.data_dir()} can't be read ({error}); "
                "remove them to have them downloaded again."
            ) from error
        progress(f"Keeping {name} for the next time", 0.98)
        store.begin(size)
        images, labels = train
        rows = cut(labels, validation=True, test=False)
        for part in ("train", "validation"):
            store.add_all(part, resized(images[rows[part]], size), labels[rows[part]])
        store.add_all("test", resized(test[0], size), test[1])
        return Contents(classes=classes)

    return through_cache(name, size, read)


def _fetch_all(archives: Sequence[Archive], progress: Progress) -> None:
    for done, archive in enumerate(archives):
        fetch(archive, partial(_report_part, progress, done, len(archives)))
    progress("Unpacking", 0.9)


def _report_part(progress: Progress, done: int, parts: int, message: str, share: float) -> None:
    progress(message, 0.9 * (done + share) / parts)


def _fashion_mnist(root: Path, progress: Progress) -> Parsed:
    from torchvision.datasets import FashionMNIST  # noqa: PLC0415 - 1.5 s that only these data sets pay

    folder, mirror = root / "FashionMNIST" / "raw", FashionMNIST.mirrors[0]
    _fetch_all(
        [Archive(url=mirror + file, path=folder / file, md5=md5) for file, md5 in FashionMNIST.resources], progress
    )
    train, test = (FashionMNIST(root, train=part, download=True) for part in (True, False))
    return (
        catalog.find_dataset("fashion-mnist").classes,
        (pad(train.data.numpy()), _labels(train.targets)),
        (pad(test.data.numpy()), _labels(test.targets)),
    )


def _cifar(class_name: str) -> Callable[[Path, Progress], Parsed]:
    def parse(root: Path, progress: Progress) -> Parsed:
        from torchvision import datasets  # noqa: PLC0415

        cifar = getattr(datasets, class_name)
        _fetch_all([Archive(url=cifar.url, path=root / cifar.filename, md5=cifar.tgz_md5)], progress)
        train, test = (cifar(root, train=part, download=True) for part in (True, False))
        return (
            tuple(train.classes),
            (train.data.transpose(0, 3, 1, 2), _labels(train.targets)),
            (test.data.transpose(0, 3, 1, 2), _labels(test.targets)),
        )

    return parse


def _svhn(root: Path, progress: Progress) -> Parsed:
    from torchvision.datasets import SVHN  # noqa: PLC0415

    files = [SVHN.split_list[part] for part in ("train", "test")]
    _fetch_all([Archive(url=url, path=root / file, md5=md5) for url, file, md5 in files], progress)
    train, test = (SVHN(root, split=part) for part in ("train", "test"))
    return (
        catalog.find_dataset("svhn").classes,
        (train.data, _labels(train.labels)),
        (test.data, _labels(test.labels)),
    )


def _tiny_imagenet(root: Path, progress: Progress) -> Parsed:
    """Read out of its zip; the labelled validation folder is our test set, the unlabelled test folder is left out."""
    url, md5 = TINY_IMAGENET
    path = root / url.rpartition("/")[2]
    _fetch_all([Archive(url=url, path=path, md5=md5)], progress)
    top = f"{path.stem}/"
    with zipfile.ZipFile(path) as archive:
        words = dict(line.split("\t", 1) for line in _lines(archive, f"{top}words.txt"))
        ids = sorted(_lines(archive, f"{top}wnids.txt"))
        size = catalog.find_dataset("tiny-imagenet").image_size
        index = {wnid: i for i, wnid in enumerate(ids)}
        annotations = (line.split("\t") for line in _lines(archive, f"{top}val/val_annotations.txt"))
        test = [(f"{top}val/images/{fields[0]}", index[fields[1]]) for fields in annotations]
        train = [
            (name, index[name.split("/")[2]])
            for name in sorted(archive.namelist())
            if name.startswith(f"{top}train/") and name.endswith(".JPEG")
        ]
        images = np.empty((len(train) + len(test), 3, size, size), dtype=np.uint8)
        for i, (name, _) in enumerate([*train, *test]):
            if i % 1000 == 0:
                progress(f"Reading image {i + 1:,} of {len(images):,}", 0.9 + 0.08 * i / len(images))
            images[i] = decode(archive.read(name), name, size).pixels
    names = [words[wnid].split(",")[0] for wnid in ids]
    seen = Counter(names)
    classes = tuple(name if seen[name] == 1 else f"{name} ({wnid})" for name, wnid in zip(names, ids, strict=True))
    n = len(train)
    return (
        classes,
        (images[:n], _labels([label for _, label in train])),
        (images[n:], _labels([label for _, label in test])),
    )


PARSERS: Mapping[str, Callable[[Path, Progress], Parsed]] = {
    "fashion-mnist": _fashion_mnist,
    "cifar10": _cifar("CIFAR10"),
    "cifar100": _cifar("CIFAR100"),
    "svhn": _svhn,
    "tiny-imagenet": _tiny_imagenet,
}


def _lines(archive: zipfile.ZipFile, name: str) -> list[str]:
    return archive.read(name).decode().splitlines()


def _labels(labels: Any) -> Labels:
    return np.asarray(labels, dtype=np.int64)
