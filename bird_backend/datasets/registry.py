"""Data sets by name, keyed as in the catalogue; one's own, such as `folder:PATH`, have names too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bird_backend import catalog
from bird_backend.datasets import array_files, brought, downloads, embedded, own, torchvision_sets
from bird_backend.datasets.dataset import Dataset, Progress
from bird_backend.datasets.narrowing import narrow
from bird_backend.specs import ImageSize

__all__ = ["LOADERS", "OWN_LOADERS", "load_dataset"]

LOADERS: Mapping[str, Callable[[int, Progress], Dataset]] = {
    "digits": lambda size, _: embedded.load_digits(size),
    "fashion-mnist-small": lambda size, _: embedded.load_fashion_mnist_small(size),
    **{name: partial(downloads.load_download, name) for name in downloads.PARSERS},
}
OWN_LOADERS: Mapping[str, Callable[[Path, ImageSize, Progress], Dataset]] = {
    "folder": own.load_folder,
    "zip": own.load_zip,
    "csv": own.load_csv,
    "arrays": array_files.load_arrays,
    "upload": brought.load_upload,
}


def load_dataset(name: str, *, image_size: ImageSize = "auto", progress: Progress | None = None) -> Dataset:
    """The data set called `name`, on the CPU, split the same way each time, its images `image_size` pixels a side.

    Downloads what is not there yet. `progress` is told (what is going on, share done).
    A name that is narrowed to some classes, `cifar10#0-4`, is the whole data set without the images of the others.
    What can't be had is an `InputError` or `RunError`.
    """
    report = progress or _silent
    whole, asked = catalog.apart(catalog.data_name(name))
    dataset = _whole(whole, image_size, report)
    if asked is not None:
        dataset = narrow(dataset, asked)
    report(f"{name} loaded", 1.0)
    return dataset


def _whole(name: str, image_size: ImageSize, report: Progress) -> Dataset:
    if (found := catalog.own_path(name)) is not None:
        kind, path = found
        return OWN_LOADERS[kind](Path(path), image_size, report)
    if catalog.torchvision_set(name) is not None:
        return torchvision_sets.load_torchvision(name, image_size, report)
    facts = catalog.find_dataset(name)
    return LOADERS[facts.name](facts.image_size if image_size == "auto" else image_size, report)


def _silent(_message: str, _share: float) -> None:
    pass
