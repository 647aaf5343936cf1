"""Data sets that need no network: scikit-learn's digits, and the part of Fashion-MNIST kept in `assets/`."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from bird_backend import catalog, settings
from bird_backend.datasets.arrays import read_npz, write_npz
from bird_backend.datasets.dataset import Dataset, Images
from bird_backend.datasets.resizing import resized
from bird_backend.datasets.splits import assemble
from bird_backend.errors import InputError, RunError

__all__ = [
    "FASHION_MNIST_SMALL",
    "build_fashion_mnist_small",
    "load_digits",
    "load_fashion_mnist_small",
    "pad",
]

FASHION_MNIST_SMALL = "fashion-mnist-small.npz"

_FRAME = 32
_PER_CLASS = {"train": 1200, "test": 300}
_IDX_NAMES = {"train": "train", "test": "t10k"}


def load_digits(size: int) -> Dataset:
    """1,797 digits of 8×8 pixels and 17 levels, enlarged bilinearly."""
    # scikit-learn takes 1.5 s to import: only those who ask for its digits pay.
    from sklearn.datasets import load_digits as bundled  # noqa: PLC0415

    bunch = bundled()
    small = torch.from_numpy(bunch.images).float().mul_(255 / 16)[:, None]  # [N,1,8,8]
    large = functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    images = large.round_().to(torch.uint8).expand(-1, 3, -1, -1).numpy()
    return assemble("digits", catalog.find_dataset("digits").classes, (images, bunch.target.astype(np.int64)))


def load_fashion_mnist_small(size: int) -> Dataset:
    """The balanced 12,000 + 3,000 images of Fashion-MNIST in `assets/`, their frame of 32×32 resized."""
    name, path = "fashion-mnist-small", settings.ASSETS / FASHION_MNIST_SMALL
    try:
        arrays = read_npz(path)
        train = resized(pad(arrays["train_images"]), size), arrays["train_labels"].astype(np.int64)
        test = resized(pad(arrays["test_images"]), size), arrays["test_labels"].astype(np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise RunError(
            f"The data set {name} can't be read from {path} ({error}); restore that file from the repository."
        ) from error
    return assemble(name, catalog.find_dataset(name).classes, train, test)


def pad(images: Images) -> Images:
    """Grey [N,28,28] to RGB [N,3,32,32] with a black border."""
    margin = (_FRAME - images.shape[-1]) // 2
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    return np.broadcast_to(padded[:, None], (len(images), 3, _FRAME, _FRAME))


def build_fashion_mnist_small(source: Path, out: Path) -> None:
    """Write the first 1,200 training and 300 test images of each class in `source`'s IDX files, in file order.

    The same files give the same bytes. A missing or foreign file is an `InputError`.
    """
    arrays: dict[str, Images] = {}
    for split, per_class in _PER_CLASS.items():
        stem = _IDX_NAMES[split]
        images = _read_idx(source / f"{stem}-images-idx3-ubyte.gz", ndim=3)
        labels = _read_idx(source / f"{stem}-labels-idx1-ubyte.gz", ndim=1)
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in range(10)]))
        if len(images) != len(labels) or len(chosen) != 10 * per_class:
            raise InputError(f"{source}: the {split} files don't hold {per_class} images of each of ten classes.")
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images[chosen], labels[chosen]
    write_npz(out, arrays, compress=True)


def _read_idx(path: Path, *, ndim: int) -> Images:
    """An IDX file of unsigned bytes: 0, 0, type 8, rank, sizes as big-endian int32, then the values."""
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise InputError(f"{path} can't be read as a gzipped IDX file: {error}.") from error
    if data[:4] != bytes([0, 0, 8, ndim]):
        raise InputError(f"{path} is not an IDX file of bytes with {ndim} dimensions.")
    shape = tuple(np.frombuffer(data, ">i4", count=ndim, offset=4))
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * ndim)
    if values.size != np.prod(shape, dtype=np.int64):
        raise InputError(f"{path} holds {values.size} values where its header says {shape}.")
    return values.reshape(shape)
