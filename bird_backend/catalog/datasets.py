"""Data sets that have a name, whole or narrowed to some of their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from bird_backend.catalog.narrowing import MARK, Chosen, apart, places_of, read_classes, write_classes
from bird_backend.catalog.own_images import OWN_KINDS, own_path
from bird_backend.catalog.torchvision_sets import PREFIX, torchvision_set
from bird_backend.errors import BirdError, UnknownNameError

__all__ = [
    "DATASETS",
    "DatasetFacts",
    "data_name",
    "find_dataset",
    "known_dataset",
    "may_be_mirrored",
    "title_of",
]


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
    unnamed: int = 0
    """How many classes it has where their names are known only once it is read."""
    uneven: tuple[tuple[int, int, int], ...] = ()
    """Training, validation and test images of each class, where classes have different numbers of them."""

    @property
    def n_classes(self) -> int:
        """How many classes it has."""
        return len(self.classes) or self.unnamed

    def counts(self, places: Sequence[int]) -> tuple[int, int, int]:
        """Training, validation and test images of the classes at these places."""
        splits = self.train, self.validation, self.test
        if not self.uneven:
            train, validation, test = (count * len(places) // self.n_classes for count in splits)
        else:
            train, validation, test = (sum(self.uneven[place][part] for place in places) for part in range(3))
        return train, validation, test


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
            uneven=(
                (128, 14, 36),
                (131, 15, 36),
                (128, 14, 35),
                (131, 15, 37),
                (130, 15, 36),
                (131, 15, 36),
                (131, 14, 36),
                (129, 14, 36),
                (125, 14, 35),
                (130, 14, 36),
            ),
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
            unnamed=100,
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
            uneven=(
                (4453, 495, 1744),
                (12475, 1386, 5099),
                (9526, 1059, 4149),
                (7647, 850, 2882),
                (6712, 746, 2523),
                (6194, 688, 2384),
                (5154, 573, 1977),
                (5036, 559, 2019),
                (4541, 504, 1660),
                (4193, 466, 1595),
            ),
        ),
        DatasetFacts(
            name="tiny-imagenet",
            title="Tiny-ImageNet",
            caption="200 ImageNet classes, shrunk to 64×64 (Le & Yang 2015); its validation folder is our test set.",
            classes=(),
            unnamed=200,
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
    """The facts of a named data set, not of one's own images; a narrowed one's `name` in them is its one spelling."""
    whole, asked = apart(name)
    if whole not in DATASETS:
        raise UnknownNameError("data set", whole, [*DATASETS, *(f"{kind}:PATH" for kind in OWN_KINDS), f"{PREFIX}NAME"])
    facts = DATASETS[whole]
    if asked is None:
        return facts
    chosen = places_of(read_classes(asked, of=whole), facts.classes, of=whole, count=facts.n_classes)
    if len(chosen) == facts.n_classes:
        return facts
    places = [place if isinstance(place, int) else 0 for place in chosen]
    train, validation, test = facts.counts(places)
    return replace(
        facts,
        name=f"{whole}{MARK}{write_classes(chosen)}",
        title=f"{facts.title.replace(',', '')}, {_words(chosen, facts.classes, facts.n_classes)}",
        classes=tuple(facts.classes[place] for place in places) if facts.classes else (),
        unnamed=0 if facts.classes else len(chosen),
        uneven=tuple(facts.uneven[place] for place in places) if facts.uneven else (),
        train=train,
        validation=validation,
        test=test,
    )


def known_dataset(name: str) -> DatasetFacts | None:
    """The facts of `find_dataset`; none of one's own images, of torchvision's sets and of what can't be."""
    try:
        return find_dataset(name)
    except BirdError:
        return None


def data_name(name: str) -> str:
    """The one spelling of what a spec calls its data: classes in the data set's order, neighbours as ranges.

    By place where the catalogue knows the classes; else as they are named, which only reading the images can check.
    What can't be is an `InputError`.
    """
    if own_path(name) is None and torchvision_set(name) is None:
        return find_dataset(name).name
    whole, asked = apart(name)
    if asked is None:
        return name
    return f"{whole}{MARK}{write_classes(places_of(read_classes(asked, of=whole), (), of=whole))}"


def title_of(name: str) -> str:
    """A data set's title; of one's own images the folder's or the zip's own name; empty is what nobody knows."""
    if not name:
        return "unknown data"
    if (facts := known_dataset(name)) is not None:
        return facts.title
    whole, asked = apart(name)
    known = torchvision_set(name)
    title = known.title if known is not None else PurePath(whole.partition(":")[2] or whole).name or whole
    if asked is None:
        return title
    try:
        return f"{title}, {_words(read_classes(asked, of=whole), ())}"
    except BirdError:
        return f"{title}, classes {asked}"


def may_be_mirrored(name: str) -> bool:
    """Whether the images of a data set may be mirrored as they are trained on; one's own may, unless one says no."""
    if (known := torchvision_set(name)) is not None:
        return known.mirrored
    whole, _ = apart(name)
    return DATASETS[whole].mirrored if whole in DATASETS else True


def _words(chosen: Chosen, classes: Sequence[str], count: int = 0) -> str:
    """`5 of 10 classes: T-shirt … Coat`."""
    named = [classes[each] if classes and isinstance(each, int) else str(each) for each in chosen]
    of = f" of {count}" if count else ""
    return f"{len(named)}{of} classes: {', '.join(named) if len(named) < _ELIDED else f'{named[0]} … {named[-1]}'}"


_ELIDED = 4
"""From so many classes on, a title names the first and the last."""
