"""Data sets by name, keyed as in the catalogue; `folder:PATH` and `zip:PATH` are names too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bird_backend import catalog
from bird_backend.datasets import embedded
from bird_backend.datasets.dataset import Dataset, Progress

__all__ = ["LOADERS", "load_dataset"]

LOADERS: Mapping[str, Callable[[Progress], Dataset]] = {
    "digits": lambda _: embedded.load_digits(),
    "fashion-mnist-small": lambda _: embedded.load_fashion_mnist_small(),
}


def load_dataset(name: str, *, progress: Progress | None = None) -> Dataset:
    """The data set called `name`, on the CPU, split the same way each time.

    Downloads what is not there yet. `progress` is told (what is going on, share done).
    What can't be had is an `InputError` or `RunError`.
    """
    report = progress or _silent
    dataset = LOADERS[catalog.find_dataset(name).name](report)
    report(f"{name} loaded", 1.0)
    return dataset


def _silent(_message: str, _share: float) -> None:
    pass
