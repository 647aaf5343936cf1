"""`torchvision:NAME`: what torchvision downloads, checks and parses, brought to one size and kept like any other."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bird_backend import settings
from bird_backend.catalog import TorchvisionSet, torchvision_set
from bird_backend.datasets.dataset import Dataset, Labels, Progress
from bird_backend.datasets.images import quiet, square_of
from bird_backend.datasets.splits import cut
from bird_backend.datasets.store import PARTS, Contents, ImageStore, through_cache
from bird_backend.errors import RunError
from bird_backend.specs import ImageSize

__all__ = ["load_torchvision"]

_REPORT_EVERY = 250


def load_torchvision(name: str, image_size: ImageSize, progress: Progress) -> Dataset:
    """The set that `torchvision:NAME` names, from the cache, else from its files, fetched if they aren't there."""
    facts = torchvision_set(name)
    if facts is None:
        raise ValueError(f"{name} is none of torchvision's sets")
    size = facts.image_size if image_size == "auto" else image_size

    def read(store: ImageStore, _asked: ImageSize) -> Contents:
        with quiet(), _in_words(facts):
            found = {part: _open(facts, arguments, progress) for part, arguments in facts.splits.items()}
            classes = _classes(found["train"])
            _fill(store, size, _rows(found), progress)
        return Contents(classes=classes)

    return through_cache(name, size, read)


def _rows(found: Mapping[str, Any]) -> dict[str, tuple[Any, Sequence[int]]]:
    """Each split as a set and the places in it that belong to the split."""
    labels = _labels(found["train"])
    rows = cut(labels, validation="validation" not in found, test="test" not in found)
    return {
        part: (found["train"], rows[part].tolist()) if part in rows else (found[part], range(len(found[part])))
        for part in PARTS
    }


def _fill(store: ImageStore, size: int, splits: Mapping[str, tuple[Any, Sequence[int]]], progress: Progress) -> None:
    store.begin(size)
    total, done = sum(len(rows) for _, rows in splits.values()), 0
    for part in PARTS:
        images, rows = splits[part]
        for row in rows:
            if done % _REPORT_EVERY == 0:
                progress(f"Reading image {done + 1:,} of {total:,}", 0.5 + 0.5 * done / total)
            image, label = images[row]
            width, height = image.size
            store.add(part, square_of(image, size, width=width, height=height).pixels, int(label))
            done += 1


def _open(facts: TorchvisionSet, arguments: Mapping[str, Any], progress: Progress) -> Any:
    from torchvision import datasets  # noqa: PLC0415 - 1.5 s that only these data sets pay

    build, root = getattr(datasets, facts.name), settings.data_dir()
    try:
        return build(root, **arguments, download=False)
    except RuntimeError:  # the way all of them say that nothing is there
        progress(f"Downloading {facts.title}", 0.0)
        with contextlib.redirect_stderr(io.StringIO()):  # a bar for a terminal
            return build(root, **arguments, download=True)


def _labels(images: Any) -> Labels:
    """Labels [N], without decoding the images where the set knows them."""
    for name in ("targets", "labels", "_labels"):
        if (known := getattr(images, name, None)) is not None and len(known) == len(images):
            return np.asarray(known, dtype=np.int64)
    if (pairs := getattr(images, "_samples", None)) is not None:
        return np.array([label for _, label in pairs], dtype=np.int64)
    return np.array([images[row][1] for row in range(len(images))], dtype=np.int64)


def _classes(images: Any) -> tuple[str, ...]:
    count = int(_labels(images).max()) + 1
    named = getattr(images, "classes", None)
    if named is not None and len(named) >= count:
        return tuple(str(name) for name in named)
    return tuple(str(number) for number in range(count))


@contextlib.contextmanager
def _in_words(facts: TorchvisionSet) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, LookupError, EOFError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise RunError(
            f"{facts.title} can't be had ({said}); if you can get its files another way, put them below"
            f" {settings.data_dir()} where torchvision's {facts.name} looks for them."
        ) from error
