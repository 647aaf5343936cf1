"""One's own image files as a data set: `folder:PATH`, `zip:PATH` and `csv:PATH`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from bird_backend import settings
from bird_backend.catalog import OWN_IMAGE_SIZE, own_image_size
from bird_backend.datasets.dataset import Dataset, Progress
from bird_backend.datasets.images import BrokenImageError, decode, quiet
from bird_backend.datasets.layouts import Layout, by_table, layout_of
from bird_backend.datasets.reading import Reading, other_kinds, why_size
from bird_backend.datasets.sources import ImageFile, Listing, open_folder, open_zip
from bird_backend.datasets.splits import check_class_sizes, cut, origins
from bird_backend.datasets.store import PARTS, Contents, ImageStore, through_cache
from bird_backend.datasets.tables import read_table
from bird_backend.errors import InputError
from bird_backend.specs import ImageSize

__all__ = ["load_csv", "load_folder", "load_zip"]

_REPORT_EVERY = 250
_Plan = Mapping[str, Sequence[tuple[ImageFile, int]]]
"""The images of each split with their labels."""


def load_folder(path: Path, size: ImageSize, progress: Progress) -> Dataset:
    """The data set in a folder. Anything that makes it unusable is an `InputError`."""
    return _load(f"folder:{path}", lambda: open_folder(path), size, progress)


def load_zip(path: Path, size: ImageSize, progress: Progress, *, name: str = "") -> Dataset:
    """The data set in a zip file, which may have one folder around everything; called `name`, if it has another."""
    return _load(name or f"zip:{path}", lambda: open_zip(path), size, progress)


def load_csv(path: Path, size: ImageSize, progress: Progress) -> Dataset:
    """The data set that a table lists, whose images lie beside it or in folders below."""
    if (real := settings.found(path)) is None or not real.is_file():
        raise InputError(f"There is no table at {path}.")
    return _load(f"csv:{path}", lambda: open_folder(real.parent), size, progress, table=real.name)


def _load(
    name: str,
    source: Callable[[], AbstractContextManager[Listing]],
    size: ImageSize,
    progress: Progress,
    *,
    table: str | None = None,
) -> Dataset:
    def read(store: ImageStore, asked: ImageSize) -> Contents:
        with source() as listing, quiet():
            layout = layout_of(name, listing) if table is None else _by_named_table(name, table, listing)
            classes = layout.classes(name)
            left_out = Reading(image_size=0)
            if listing.others:
                left_out.skipped[other_kinds(listing.others)] = len(listing.others), []
            for reason, names in layout.skipped.items():
                left_out.skip(reason, names)
            plan = _plan(name, layout, classes, left_out)
            reading = _decode(name, plan, left_out, store, asked, progress)
        trained = np.array(store.labels[: store.counts["train"]], dtype=np.int64)
        check_class_sizes(name, classes, trained, least=1)
        if empty := [part for part in PARTS if not store.counts[part]]:
            raise InputError(f"{name} has no {empty[0]} images that can be read.")
        return Contents(classes=classes, reading=reading)

    return through_cache(name, size, read)


def _by_named_table(name: str, table: str, listing: Listing) -> Layout:
    file = next((found for found in listing.tables if found.parts == (table,)), None)
    if file is None:
        raise InputError(f"{name} is no .csv or .tsv file.")
    lines = read_table(name, file)
    return by_table(name, lines or (), listing, file)


def _plan(name: str, layout: Layout, classes: tuple[str, ...], reading: Reading) -> _Plan:
    """Where each image goes: fixed by the listing alone, so that one that can't be read moves no other."""
    index = {label: i for i, label in enumerate(classes)}
    images = {role: [(file, index[label]) for file, label in found] for role, found in layout.images.items()}
    labels = np.array([label for _, label in images["train"]], dtype=np.int64)
    check_class_sizes(name, classes, labels)
    rows = cut(labels, validation="validation" not in images, test="test" not in images)
    reading.origins = origins(rows)
    return {part: [images["train"][row] for row in rows[part]] if part in rows else images[part] for part in PARTS}


def _decode(
    name: str, plan: _Plan, left_out: Reading, store: ImageStore, asked: ImageSize, progress: Progress
) -> Reading:
    """Put every image that can be read into `store`; what was found, with what was left out before.

    Where the size is left to us, that of the images so far is taken until one does not fit it: then all begins anew.
    """
    files = [(part, file, label) for part in PARTS for file, label in plan[part]]
    sizes: set[tuple[int, int]] = set()
    size = OWN_IMAGE_SIZE if asked == "auto" else asked
    while True:
        reading = left_out.begun(size)
        store.begin(size)
        for place, (part, file, label) in enumerate(files):
            if place % _REPORT_EVERY == 0:
                progress(f"Reading image {place + 1:,} of {len(files):,}", place / len(files))
            try:
                image = decode(file.read(), f"{name}: {file.name}", size)
            except BrokenImageError as error:
                reading.skip_broken(error.reason, file.name)
                continue
            seen = image.width, image.height
            if seen not in sizes:
                sizes.add(seen)
                if asked == "auto" and (better := own_image_size(sizes)) != size:
                    size = better
                    break
            reading.add(image)
            store.add(part, image.pixels, label)
        else:
            break
    if reading.broken > settings.MAX_BROKEN_SHARE * len(files):
        raise InputError(
            f"{name}: {reading.broken:,} of {len(files):,} images can't be used, where at most"
            f" {settings.MAX_BROKEN_SHARE:.0%} are left out; {reading.first_broken}."
        )
    reading.why_size = why_size(size, sizes)
    return reading
