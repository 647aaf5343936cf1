"""Fixed, stratified splits: the same images fall into the same split on every machine and in every run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bird_backend.datasets.dataset import Dataset, Images, Labels, as_split
from bird_backend.errors import InputError

__all__ = [
    "MIN_IMAGES_PER_CLASS",
    "TEST_SHARE",
    "VALIDATION_SHARE",
    "assemble",
    "check_class_sizes",
    "cut",
    "hold_out",
    "origins",
]

VALIDATION_SHARE = 0.1
"""Of the training images."""
TEST_SHARE = 0.2
"""Of all images, where a source has no test images of its own."""
MIN_IMAGES_PER_CLASS = 5

_SEED = 20231


def hold_out(labels: Labels, share: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Sorted indices (kept, held out): round(share × N) held out, spread over the classes by their size.

    Each class gives at least one image and keeps at least one; what is left over goes to the largest remainders.
    """
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * share
    quota = np.floor(exact).astype(int)
    short = int(np.floor(share * len(labels) + 0.5)) - int(quota.sum())
    quota[np.argsort(quota - exact, kind="stable")[: max(short, 0)]] += 1
    quota = np.clip(quota, 1, np.maximum(counts - 1, 0))
    # Raw draws, ranked here: NumPy may change `Generator.permutation` but never a bit stream.
    order = np.argsort(np.random.PCG64(_SEED).random_raw(len(labels)), kind="stable")
    held = [order[labels[order] == label][:n] for label, n in zip(classes, quota, strict=True)]
    out = np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.intp)
    return np.setdiff1d(np.arange(len(labels)), out), out


def cut(labels: Labels, *, validation: bool, test: bool) -> dict[str, npt.NDArray[np.intp]]:
    """Which of the training images with these labels go to `train`, and to the splits that are to be cut from them."""
    rows = {"train": np.arange(len(labels))}
    for part, wanted, share in (("test", test, TEST_SHARE), ("validation", validation, VALIDATION_SHARE)):
        if wanted:
            kept, out = hold_out(labels[rows["train"]], share)
            rows |= {part: rows["train"][out], "train": rows["train"][kept]}
    return rows


def origins(rows: Mapping[str, npt.NDArray[np.intp]]) -> dict[str, str]:
    """In words, where validation and test images come from, of what `cut` gave."""
    shares = {"validation": VALIDATION_SHARE, "test": TEST_SHARE}
    return {
        part: f"{share:.0%} of the training images, the same ones every time" if part in rows else "its own images"
        for part, share in shares.items()
    }


def assemble(
    name: str,
    classes: tuple[str, ...],
    train: tuple[Images, Labels],
    test: tuple[Images, Labels] | None = None,
) -> Dataset:
    """A `Dataset` with validation cut from the training images, and test too where the source has none."""
    images, labels = train
    rows = cut(labels, validation=True, test=test is None)
    splits = {part: as_split(images[at], labels[at]) for part, at in rows.items()}
    if test is not None:
        splits["test"] = as_split(*test)
    return Dataset(
        name=name, classes=classes, train=splits["train"], validation=splits["validation"], test=splits["test"]
    )


def check_class_sizes(name: str, classes: tuple[str, ...], labels: Labels, least: int = MIN_IMAGES_PER_CLASS) -> None:
    """Refuse a class with too few training images to be split, or, once that is done, to learn from."""
    counts = np.bincount(labels, minlength=len(classes))
    smallest = int(counts.argmin())
    if counts[smallest] < least:
        raise InputError(
            f"{name}: class {classes[smallest]!r} has {counts[smallest]} training images that can be read; each class"
            f" needs at least {least}."
        )
