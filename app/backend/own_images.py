"""What is in a data set, one's own above all: read by a light run, and found again while the images are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from app.backend import data
from bird_backend import catalog
from bird_backend.errors import is_plain
from bird_backend.experiments import InspectSpec, TransferSpec
from bird_backend.runs import checks
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import ContactSheet, read_contact_sheet
from bird_backend.runs.store import Run, RunStore, State

__all__ = [
    "ContactSheet",
    "Images",
    "Inspection",
    "Problems",
    "contact_sheet",
    "find_images",
    "find_inspection",
    "image_size_of",
    "inspect",
    "may_download",
    "own_names",
    "transfer_problems",
]

_LOOKED_THROUGH = 100
_MOST_NAMES = 8


@dataclass(frozen=True, kw_only=True)
class Images:
    """What was found: classes, images in each split, and what was done to them or left out."""

    classes: tuple[str, ...]
    counts: Mapping[str, Sequence[int]]
    """How many images of each class, by split."""
    image_size: int
    """The side in pixels that they have where nobody says another."""
    reading: Mapping[str, Any] | None
    """How one's own files were read, as `datasets.Reading.as_dict` has it; none of a data set that comes ready."""
    remarks: tuple[str, ...]
    """Sentences on what was done to them or left out."""

    @property
    def train(self) -> int:
        """Images to learn from."""
        return sum(self.counts["train"])

    @property
    def validation(self) -> int:
        """Images to choose by."""
        return sum(self.counts["validation"])

    @property
    def test(self) -> int:
        """Images that are used once, at the end."""
        return sum(self.counts["test"])


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """The run that reads the images, and what it found; none until it is done, or where it failed."""

    run: Run
    images: Images | None


@dataclass(frozen=True, kw_only=True)
class Problems:
    """What keeps a transfer from being, each in a sentence, and whether a student for the data's classes would help."""

    problems: tuple[str, ...]
    wants_student: bool


def transfer_problems(spec: TransferSpec, images: Images | None) -> Problems:
    """As far as weights and data tell; `images` are one's own, once they are read."""
    classes, train = (images.classes, images.train) if images else ((), None)
    found = tuple(checks.problems(spec, classes=classes, train=train))
    return Problems(problems=found, wants_student=any(said == checks.misfit(spec, classes) for said in found))


def inspect(name: str, *, retry: bool = False) -> Inspection:
    """Ask what is in a data set, once; `retry` asks again where that failed."""
    found = find_inspection(name)
    if found is None or (retry and found.run.state in ("failed", "cancelled")):
        spec = InspectSpec(data=name)
        return Inspection(run=data.submit(spec.model_dump(mode="json")), images=None)
    return found


def find_inspection(name: str) -> Inspection | None:
    """What was asked for already, of images that have not changed since."""
    run = RunStore().find_same(InspectSpec(data=name), states=get_args(State)) if is_plain(name) else None
    if run is None:
        return None
    if run.state != "done" or run.summary is None:
        return Inspection(run=run, images=None)
    found = run.summary
    images = Images(
        classes=tuple(found["classes"]),
        counts=found["counts"],
        image_size=int(found["image_size"]),
        reading=found["reading"],
        remarks=tuple(found["remarks"]),
    )
    return Inspection(run=run, images=images)


def find_images(name: str) -> Inspection | None:
    """The same; of a data set narrowed to some classes, what is known of the whole, narrowed in the same way.

    Classes that there aren't, once that is known, are an `InputError`.
    """
    whole, asked = catalog.apart(name)
    found = find_inspection(whole)
    if asked is None or found is None or found.images is None:
        return found
    images = found.images
    chosen = catalog.places_of(catalog.read_classes(asked, of=whole), images.classes, of=catalog.title_of(whole))
    places = [place for place in chosen if isinstance(place, int)]
    counts = {part: [of_class[place] for place in places] for part, of_class in images.counts.items()}
    if missing := [images.classes[place] for place, tests in zip(places, counts["test"], strict=True) if not tests]:
        raise data.InputError(f"{catalog.title_of(whole)}: class {missing[0]!r} has no test image; leave it out.")
    classes = tuple(images.classes[place] for place in places)
    return replace(found, images=replace(images, classes=classes, counts=counts))


def image_size_of(name: str, image_size: int | str = "auto") -> int | None:
    """The side in pixels that a data set's images have in a run; none of one's own that are not read yet."""
    if isinstance(image_size, int):
        return image_size
    if (known := catalog.torchvision_set(name)) is not None:
        return known.image_size
    if (facts := catalog.known_dataset(name)) is not None:
        return facts.image_size
    own = None if catalog.own_path(name) is None else find_inspection(catalog.apart(name)[0])
    return None if own is None or own.images is None else own.images.image_size


def may_download(name: str) -> bool:
    """Whether looking into a data set may fetch it first."""
    facts = catalog.known_dataset(name)
    return catalog.torchvision_set(name) is not None or (facts is not None and facts.network)


def own_names() -> list[str]:
    """One's own images that runs here were about, the latest first; a few."""
    found: list[str] = []
    for run in data.list_runs(limit=_LOOKED_THROUGH):
        try:
            name = getattr(data.spec_of(run), "data", None)
        except data.BirdError:
            continue
        if name and catalog.own_path(name) is not None and name not in found:
            found.append(name)
    return found[:_MOST_NAMES]


def contact_sheet(run: Run) -> ContactSheet | None:
    """A few training images of each class, none where the run kept none. Do not write to it: it is shared."""
    path = run.directory.artifacts / "contact-sheet.npz"
    return _contact_sheet(str(run.directory.path), path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=4)
def _contact_sheet(path: str, _mtime: int) -> ContactSheet | None:
    return read_contact_sheet(RunDirectory(Path(path)))
