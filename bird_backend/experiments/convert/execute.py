"""Converting a weights file of another program."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bird_backend import catalog, settings
from bird_backend.errors import InputError
from bird_backend.experiments.convert import Assumed, ConvertSpec
from bird_backend.experiments.networks import keep_tensors
from bird_backend.experiments.work import Work
from bird_backend.models.foreign.converting import Asked, Converted, convert
from bird_backend.models.foreign.published import (
    IMAGENET,
    Published,
    find_published,
    looks_published,
    usual_normalisation,
)
from bird_backend.models.skeletons import skeleton
from bird_backend.models.stems import SMALL_IMAGE
from bird_backend.runs.identity import code_version
from bird_backend.runs.provenance import Provenance, list_weights
from bird_backend.runs.torch_cache import find_cached
from bird_backend.runs.uploads import find_upload
from bird_backend.sources import require_network, title_of_network
from bird_backend.specs import OURS, Preprocessing

__all__ = ["execute"]

_LONGEST_NAME = 60
_IMAGENET_CLASSES = 1000


def execute(spec: ConvertSpec, work: Work) -> dict[str, Any]:
    """What the file was recognised as, and the name of the weights that it was kept as."""
    source = find_upload(spec.source) if spec.uploaded else _find(spec.source)
    work.writer.begin("Opening the file", 0.6)
    found = convert(
        source,
        subject=spec.subject,
        asked=Asked(network=spec.model, image_size=spec.image_size, stem=spec.stem, part=spec.part),
        folder=work.writer.directory.path,
        on_wait=work.writer.progress,
    )
    work.writer.begin("Keeping the weights", 0.38)
    published = find_published(source, (found.network, *found.also))
    remarks: list[str] = list(found.remarks)
    assumed = list(_alternatives(found, published))
    ours = found.provenance if spec.data is None and spec.mean is None else None
    provenance = ours or _provenance(spec, source, found, published, work, remarks, assumed)
    if ours is not None:
        remarks.append("it was made by this program, and keeps where it comes from")
    name = spec.save_as or _plain_name(found.network if spec.uploaded else Path(spec.source).stem)
    before = None if spec.save_as else _kept_before(provenance)
    if before is not None:
        remarks.append(f"this file was converted before, and is kept as {before}")
    own = provenance.preprocessing
    return {
        "weights": before or keep_tensors(name, found.tensors, provenance),
        "model": provenance.model,
        "also": list(found.also),
        "named": spec.model is not None,
        "published": published.title if published else None,
        "stem": found.stem,
        "image_size": provenance.image_size if own is None or own.size is None else own.size,
        "classes": list(provenance.classes),
        "trained_on": provenance.data or None,
        "preprocessing": own.model_dump(mode="json") if own else None,
        "tensors": len(found.tensors),
        "parameters": found.parameters,
        "taken": found.taken,
        "prefix": found.prefix,
        "offered": list(found.offered),
        "remarks": remarks,
        "assumed": [asdict(each) for each in assumed],
    }


def _alternatives(found: Converted, published: Published | None) -> Iterator[Assumed]:
    """What else the same file would do for, or holds."""
    if found.offered:
        yield Assumed(said=f"the file also holds such weights as {', '.join(found.offered)}", fields=("part",))
    if published is None and found.stem_open:
        yield Assumed(said="its tensors would do for a small stem too, and its own is taken", fields=("stem",))
    bare = found.network.rpartition(":")[2].replace("_", "")  # mobilenet_v2 is torchvision's mobilenetv2
    others = [name for name in found.also if name.rpartition(":")[2].replace("_", "") != bare and _is_here(name)]
    if published is None and others:
        yield Assumed(said=f"its tensors are those of {', '.join(others)} too", fields=("model",))


def _find(source: str) -> Path:
    """A path, or the name of a file in torch's cache."""
    path = settings.expanded(source)
    return path if path.exists() else find_cached(source) or path


def _provenance(
    spec: ConvertSpec,
    source: Path,
    found: Converted,
    published: Published | None,
    work: Work,
    remarks: list[str],
    assumed: list[Assumed],
) -> Provenance:
    """As was said, as published, as the file says, and else as is usual, which is then assumed."""
    classes, data = _classes(spec, found, published, work, assumed)
    trained_on = catalog.known_dataset(spec.data or "")
    usual = published.preprocessing.size if published else trained_on.image_size if trained_on else None
    seen = spec.image_size or usual or found.native
    built_for = _built_for(found, seen)
    preprocessing = _preprocessing(spec, found, published, remarks, assumed)
    if preprocessing is not None or seen != built_for:
        preprocessing = (preprocessing or OURS).model_copy(update={"size": seen})
    if published is None and spec.image_size is None:
        assumed.append(_assumed_size(found, seen, usual))
    return Provenance(
        model=found.network,
        image_size=built_for,
        preprocessing=preprocessing,
        classes=classes,
        data=data,
        recipe=spec.model_dump(mode="json") | {"sha256": _sha256(source)},
        seed=spec.seed,
        clean_accuracy=None,
        n_test=0,
        code_version=code_version(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        title=spec.title or _title(spec, found, published),
        role=spec.role,
    )


def _classes(
    spec: ConvertSpec, found: Converted, published: Published | None, work: Work, assumed: list[Assumed]
) -> tuple[tuple[str, ...], str]:
    """The classes' names, and what it was trained on: as was said, as published, as in the file, or numbers."""
    if spec.data is not None:
        facts = catalog.known_dataset(spec.data)
        known = facts.classes if facts is not None and facts.classes else work.load(spec.data, "auto").classes
        if len(known) != found.classes:
            raise InputError(
                f"{spec.subject} tells {found.classes} classes apart and {catalog.title_of(spec.data)} has"
                f" {len(known)}; leave data out, or name what it was trained on."
            )
        return known, spec.data
    if published is not None:
        return published.classes, IMAGENET
    if found.names:
        return found.names, ""
    assumed.append(Assumed(said="the names of its classes are not in the file", fields=("data",)))
    return tuple(f"class {number}" for number in range(found.classes)), ""


def _built_for(found: Converted, seen: int) -> int:
    """The image size to build the network for, so that it gets the stem and the shapes that its tensors have."""
    fits_stem = found.stem is None or (seen < SMALL_IMAGE) == (found.stem == "small")
    size = seen if fits_stem else found.native
    expected = skeleton(found.network, classes=found.classes, image_size=size)
    if any(expected[name].shape != tensor.shape for name, tensor in found.tensors.items()):
        raise InputError(
            f"{found.network} with tensors of these shapes takes images of {found.native}×{found.native} pixels, not of"
            f" {seen}×{seen}."
        )
    return size


def _preprocessing(
    spec: ConvertSpec, found: Converted, published: Published | None, remarks: list[str], assumed: list[Assumed]
) -> Preprocessing | None:
    if spec.mean is not None and spec.std is not None:
        return Preprocessing(mean=spec.mean, std=spec.std)
    if published is not None:
        remarks.append(f"it is torchvision's {published.title}, and gets its images as torchvision says")
        return published.preprocessing
    if looks_published(Path(spec.source).name):
        remarks.append("it is named as torchvision names what it publishes, but its content is not torchvision's")
    usual = ""
    if found.classes == _IMAGENET_CLASSES:
        likely = usual_normalisation(found.network)
        mean, std = (" ".join(map(str, values)) for values in (likely.mean, likely.std))
        usual = f"; of images as ImageNet's they usually are with the mean {mean} and the standard deviation {std}"
    said = (
        "what its images were normalised with is not in the file, so they are normalised our way, (x / 255 − 0.5) /"
        f" 0.25{usual}"
    )
    assumed.append(Assumed(said=said, fields=("mean", "std")))
    return None


def _assumed_size(found: Converted, seen: int, usual: int | None) -> Assumed:
    as_what = "own images usually are" if found.stem is None else "the network is usually given them"
    return Assumed(
        said=f"the size of its images is not in the file, so it gets them at {seen}×{seen} pixels, as"
        f" {as_what if usual is None else 'those of its data are'}",
        fields=("image_size",),
    )


def _kept_before(provenance: Provenance) -> str | None:
    """The weights that came of the same file in the same way."""
    for each in list_weights():
        if each.origin == "home" and each.provenance is not None and _origin(each.provenance) == _origin(provenance):
            return each.name
    return None


def _origin(made: Provenance) -> tuple[object, ...]:
    """What two conversions share that come to the same; of anything else made here, all there is to it."""
    if made.recipe.get("kind") != "convert":
        return (made,)
    return (
        made.recipe.get("sha256"),
        made.recipe.get("part"),
        made.model,
        made.image_size,
        made.preprocessing,
        made.classes,
        made.data,
        made.role,
    )


def _is_here(network: str) -> bool:
    try:
        require_network(network)
    except InputError:  # of a package that is not installed
        return False
    return True


def _title(spec: ConvertSpec, found: Converted, published: Published | None) -> str:
    if published is not None:
        return f"{title_of_network(found.network)}, {published.title.rpartition('.')[2]}"
    return title_of_network(found.network) if spec.uploaded else f"{title_of_network(found.network)}, {spec.subject}"


def _plain_name(name: str) -> str:
    """A file's or network's name as weights may be called."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rpartition(":")[2])[:_LONGEST_NAME].strip("-._")
    return plain if plain and plain[0].isalnum() and plain.isascii() else "weights"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
