"""Data sets by name, keyed as in the catalogue; one's own, such as `folder:PATH`, have names too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bird_backend import catalog
from bird_backend.datasets import array_files, brought, downloads, embedded, own, torchvision_sets
from bird_backend.datasets.dataset import Dataset, Progress
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
    What can't be had is an `InputError` or `RunError`.
    """
    report = progress or _silent
    if (found := catalog.own_path(name)) is not None:
        kind, path = found
        dataset = OWN_LOADERS[kind](Path(path), image_size, report)
    elif catalog.torchvision_set(name) is not None:
        dataset = torchvision_sets.load_torchvision(name, image_size, report)
    else:
        facts = catalog.find_dataset(name)
        dataset = LOADERS[facts.name](facts.image_size if image_size == "auto" else image_size, report)
    report(f"{name} loaded", 1.0)
    return dataset


def _silent(_message: str, _share: float) -> None:
    pass
