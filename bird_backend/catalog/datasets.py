"""Data sets that have a name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from bird_backend.catalog.torchvision_sets import PREFIX, torchvision_set
from bird_backend.errors import UnknownNameError

__all__ = [
    "DATASETS",
    "OWN_IMAGE_SIZE",
    "OWN_KINDS",
    "DatasetFacts",
    "find_dataset",
    "may_be_mirrored",
    "own_image_size",
    "own_path",
    "title_of",
]

OWN_IMAGE_SIZE = 64
"""The side in pixels that one's own images get where they have no common one that is small."""
OWN_KINDS: Mapping[str, str] = {
    "folder": "a folder of images, by class, by split and class, or with a table of them",
    "zip": "the same in a zip",
    "csv": "a table of path, label and perhaps split, beside or above its images",
    "arrays": "an .npz, or a folder with images.npy and labels.npy",
    "upload": "a zip or an .npz that was brought here: DIGEST/TITLE, as `runs.uploads.upload_name` has it",
}
"""What one's own images may come as, named KIND:PATH."""
_SIDES = (16, 64)
"""Own images that are all squares of one side keep it where it is a multiple of 8 from and to these."""


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """A data set by name. One's own, `folder:PATH` and its like, are data sets too and have no entry here."""

    name: str
    title: str
    caption: str
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    network: bool
    """Has to be downloaded once."""
    licence: str
    image_size: int = 32
    """The side in pixels that its images have unless a spec says another."""
    mirrored: bool = True
    """Whether a mirrored image is still of its class: a digit is not."""


_DIGITS = tuple("0123456789")

_FASHION = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


DATASETS: Mapping[str, DatasetFacts] = {
    facts.name: facts
    for facts in (
        DatasetFacts(
            name="digits",
            title="Digits",
            caption="Hand-written digits, 8×8 pixels, from scikit-learn.",
            classes=_DIGITS,
            train=1294,
            validation=144,
            test=359,
            network=False,
            licence="CC BY 4.0 (UCI)",
            mirrored=False,
        ),
        DatasetFacts(
            name="fashion-mnist-small",
            title="Fashion-MNIST, small",
            caption="Clothing in ten classes: a balanced part of Fashion-MNIST that comes with the project.",
            classes=_FASHION,
            train=10800,
            validation=1200,
            test=3000,
            network=False,
            licence="MIT (Zalando SE)",
        ),
        DatasetFacts(
            name="fashion-mnist",
            title="Fashion-MNIST",
            caption="All 70,000 images of clothing.",
            classes=_FASHION,
            train=54000,
            validation=6000,
            test=10000,
            network=True,
            licence="MIT (Zalando SE)",
        ),
        DatasetFacts(
            name="cifar10",
            title="CIFAR-10",
            caption="Small colour photographs, ten classes (Krizhevsky 2009).",
            classes=_CIFAR10,
            train=45000,
            validation=5000,
            test=10000,
            network=True,
            licence="none stated by its authors",
        ),
        DatasetFacts(
            name="cifar100",
            title="CIFAR-100",
            caption="Small colour photographs, a hundred classes (Krizhevsky 2009).",
            classes=(),
            train=45000,
            validation=5000,
            test=10000,
            network=True,
            licence="none stated by its authors",
        ),
        DatasetFacts(
            name="svhn",
            title="SVHN",
            caption="House numbers from street photographs (Netzer 2011).",
            classes=_DIGITS,
            train=65931,
            validation=7326,
            test=26032,
            network=True,
            licence="for non-commercial use",
            mirrored=False,
        ),
        DatasetFacts(
            name="tiny-imagenet",
            title="Tiny-ImageNet",
            caption="200 ImageNet classes, shrunk to 64×64 (Le & Yang 2015); its validation folder is our test set.",
            classes=(),
            train=90000,
            validation=10000,
            test=10000,
            network=True,
            licence="ImageNet terms: research, non-commercial",
            image_size=64,
        ),
    )
}


def find_dataset(name: str) -> DatasetFacts:
    """The facts of a named data set (not of one's own images)."""
    if name not in DATASETS:
        raise UnknownNameError("data set", name, [*DATASETS, *(f"{kind}:PATH" for kind in OWN_KINDS), f"{PREFIX}NAME"])
    return DATASETS[name]


def own_path(name: str) -> tuple[str, str] | None:
    """Kind and path of one's own images, such as `folder` and `/home/me/photos`; none of a data set with a name."""
    kind, _, path = name.partition(":")
    return (kind, path) if kind in OWN_KINDS and path else None


def title_of(name: str) -> str:
    """A data set's title; of one's own images the folder's or the zip's own name; empty is what nobody knows."""
    if not name:
        return "unknown data"
    if (known := torchvision_set(name)) is not None:
        return known.title
    return DATASETS[name].title if name in DATASETS else PurePath(name.partition(":")[2] or name).name or name


def may_be_mirrored(name: str) -> bool:
    """Whether the images of a data set may be mirrored as they are trained on; one's own may, unless one says no."""
    if (known := torchvision_set(name)) is not None:
        return known.mirrored
    return DATASETS[name].mirrored if name in DATASETS else True


def own_image_size(sizes: Collection[tuple[int, int]]) -> int:
    """The side that images of these widths and heights get where nobody says one.

    Their own where all are squares of one side that is a multiple of 8 from 16 to 64, else `OWN_IMAGE_SIZE`.
    """
    smallest, largest = _SIDES
    sides = {side for size in sizes for side in size}
    own = sides.pop() if len(sides) == 1 else 0
    return own if own % 8 == 0 and smallest <= own <= largest else OWN_IMAGE_SIZE
