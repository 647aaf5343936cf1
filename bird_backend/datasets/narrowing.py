"""A data set narrowed to some of its classes: the whole one's images and splits, labels counted anew from 0."""

from __future__ import annotations

import torch
from torch import Tensor

from bird_backend.catalog import data_name, places_of, read_classes
from bird_backend.datasets.dataset import Dataset, Split, Within
from bird_backend.errors import InputError

__all__ = ["narrow"]


def narrow(whole: Dataset, asked: str) -> Dataset:
    """The classes that are written in `asked`, `0-4` or `Bag,Coat`, of a data set on the CPU.

    An image is in the split that it is in of the whole. What can't be, and a class without a training or test image, is
    an `InputError`.
    """
    chosen = places_of(read_classes(asked, of=whole.name), whole.classes, of=whole.name)
    places = [place for place in chosen if isinstance(place, int)]
    if len(places) == len(whole.classes):
        return whole
    renumbered = torch.full((len(whole.classes),), -1, dtype=torch.int64)
    renumbered[places] = torch.arange(len(places))
    rows = {
        part: (renumbered[split.labels] >= 0).nonzero().flatten()
        for part, split in (("train", whole.train), ("validation", whole.validation), ("test", whole.test))
    }
    name, classes = data_name(f"{whole.name}#{asked}"), tuple(whole.classes[place] for place in places)
    narrowed = Dataset(
        name=name,
        classes=classes,
        reading=whole.reading,
        remarks=(*whole.remarks, *_remarks(whole, classes)),
        train=_part(whole.train, rows["train"], renumbered),
        validation=_part(whole.validation, rows["validation"], renumbered),
        test=_part(whole.test, rows["test"], renumbered),
        within=Within(rows=rows["test"], labels=whole.test.labels),
    )
    for split, use in ((narrowed.train, "training"), (narrowed.test, "test")):
        counts = torch.bincount(split.labels, minlength=len(classes))
        if (counts == 0).any():
            missing = classes[int(counts.argmin())]
            raise InputError(f"{name}: class {missing!r} has no {use} image that can be read; leave it out.")
    if not len(narrowed.validation):
        raise InputError(f"{name} has no validation images that can be read.")
    return narrowed


def _part(split: Split, rows: Tensor, renumbered: Tensor) -> Split:
    return Split(images=_taken(split.images, rows), labels=renumbered[split.labels[rows]])


def _taken(images: Tensor, rows: Tensor) -> Tensor:
    """Without a copy where the rows follow each other, so that images mapped from a file stay there."""
    first = int(rows[0]) if len(rows) else 0
    if torch.equal(rows, torch.arange(first, first + len(rows))):
        return images[first : first + len(rows)]
    return images[rows]


def _remarks(whole: Dataset, classes: tuple[str, ...]) -> tuple[str, ...]:
    if whole.reading is None:
        return ()
    return (f"Of {len(whole.classes)} classes {len(classes)} are taken; all that was read is said of all of them.",)
