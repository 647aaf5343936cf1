"""Which images of a folder or zip are of which class and split: by the folders they lie in, or by a table's lines.

Above the folders of classes there may be train/, val/ and test/; a table's lines have path, label and perhaps split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bird_backend.datasets.sources import ImageFile, Listing
from bird_backend.datasets.tables import Lines, read_table
from bird_backend.errors import InputError, is_plain

__all__ = ["ROLES", "Layout", "by_folders", "by_table", "layout_of"]

ROLES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What folders, and a table's splits, are called."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Each image with its class, by split; which splits have images of their own; what is left out, by reason."""

    images: Mapping[str, Sequence[tuple[ImageFile, str]]]
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of files by why they are left out."""

    def classes(self, name: str) -> tuple[str, ...]:
        """The classes of the training images, sorted; what makes them no classes is an `InputError`."""
        counts = Counter(label for _, label in self.images["train"])
        if odd := [label for label in counts if not is_plain(label)]:
            raise InputError(f"{name} has a class whose name is not plain text (UTF-8), {odd[0]!r}; rename it.")
        if len(counts) < 2:
            raise InputError(f"{name} has only one class, {next(iter(counts))!r}; there have to be at least two.")
        named: dict[str, str] = {}
        for label in sorted(counts):
            if (other := named.setdefault(label.casefold(), label)) != label:
                raise InputError(
                    f"{name} has the classes {other!r} and {label!r}, which differ in case only; merge or rename them."
                )
        for role in ("validation", "test"):
            if strange := sorted({label for _, label in self.images.get(role, ())} - set(counts)):
                raise InputError(f"{name} has {role} images of {strange[0]!r}, a class without training images.")
        return tuple(sorted(counts))


def layout_of(name: str, listing: Listing) -> Layout:
    """By the table that lies above the images, where exactly one does and it is such a table, else by their folders."""
    top = min((len(table.parts) for table in listing.tables), default=0)
    above = [table for table in listing.tables if len(table.parts) == top]
    if len(above) == 1 and (lines := read_table(name, above[0], optional=True)) is not None:
        return by_table(name, lines, listing, above[0])
    return by_folders(name, listing.files)


def by_table(name: str, lines: Lines, listing: Listing, table: ImageFile) -> Layout:
    """By the lines of a table whose paths are relative to where it lies."""
    base = table.parts[:-1]
    files = {file.parts: file for file in listing.files}
    images: dict[str, list[tuple[ImageFile, str]]] = {}
    missing: list[str] = []
    for line in lines:
        file = files.pop((*base, *line.parts), None)
        if file is None:
            missing.append("/".join(line.parts))
            continue
        role = ROLES.get(line.split.lower()) if line.split else "train"
        if role is None:
            raise InputError(
                f"{name}: {table.name} has the split {line.split!r} in line {line.number}; there are train,"
                " validation and test."
            )
        images.setdefault(role, []).append((file, line.label))
    if "train" not in images:
        why = "names no image that is there" if missing and not images else "has no training images"
        raise InputError(f"{name}: {table.name} {why}; its paths are relative to where it lies.")
    left_out = {f"not named in {table.name}": [file.name for file in files.values()], "named but not there": missing}
    return Layout(images=images, skipped={reason: names for reason, names in left_out.items() if names})


def by_folders(name: str, files: Sequence[ImageFile]) -> Layout:
    """By the folder that each image lies in, below train/, val/ and test/ where there are any."""
    inside = [file for file in files if len(file.parts) > 1]
    if not inside:
        raise InputError(f"{name} has no images in folders; it needs one folder of images per class.")
    while len({file.parts[0] for file in inside}) == 1 and any(len(file.parts) > 2 for file in inside):
        inside = [file.inside_first() for file in inside if len(file.parts) > 2]
    images = _by_role(name, inside)
    kept = {file.name for found in images.values() for file, _ in found}
    outside = [file.name for file in files if file.name not in kept]
    return Layout(images=images, skipped={"in no class's folder": outside} if outside else {})


def _by_role(name: str, files: Sequence[ImageFile]) -> dict[str, list[tuple[ImageFile, str]]]:
    top = sorted({file.parts[0] for file in files})
    deep = {file.parts[0] for file in files if len(file.parts) > 2}
    # Only a folder of folders can be train/: "train" is also a class of CIFAR-100.
    roles = {folder: ROLES[folder.lower()] for folder in deep if folder.lower() in ROLES}
    if "train" not in roles.values():
        if roles and all(folder.lower() in ROLES for folder in top):
            raise InputError(f"{name} has {', '.join(f'{folder}/' for folder in top)} and no train/ to learn from.")
        return {"train": [(file, file.parts[0]) for file in files]}
    if any(folder.lower() not in ROLES for folder in top):
        raise InputError(f"{name} has the folders {', '.join(top)}; beside train/ there may be only val/ and test/.")
    if twice := [role for role, n in Counter(roles.values()).items() if n > 1]:
        named = " and ".join(f"{folder}/" for folder in top if roles.get(folder) == twice[0])
        raise InputError(f"{name} has {named}, which are the same to us; merge them.")
    if flat := [folder for folder in top if folder not in roles]:
        raise InputError(f"{name}: {flat[0]}/ has no folders of images; it needs one per class, like train/.")
    images: dict[str, list[tuple[ImageFile, str]]] = {}
    for file in files:
        if len(file.parts) > 2:
            images.setdefault(roles[file.parts[0]], []).append((file.inside_first(), file.parts[1]))
    return images
