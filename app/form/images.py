"""Which images a form is told of, and at what size: as a person writes it, and as a spec names it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from app.backend.uploads import brought_problem
from bird_backend import catalog
from bird_backend.errors import BirdError, plain
from bird_backend.specs import IMAGE_SIZES

__all__ = [
    "AUTO",
    "OWN",
    "SIZES",
    "class_items",
    "data_sets",
    "known_size",
    "narrowed_name",
    "own_name",
    "own_problem",
    "parted",
    "size_setting",
    "size_text",
    "size_words",
]

OWN = "own"
"""The data set that a path names."""
AUTO = "auto"
"""The size that is left to the data."""
SIZES = (AUTO, "32", "64", "96", "128", "224")
"""What a list offers; any other multiple of 8 can be typed."""
_ENDINGS = {".zip": "zip", ".csv": "csv", ".tsv": "csv", ".npz": "arrays"}


def data_sets() -> list[str]:
    """Data sets that have a name and can be chosen by it, torchvision's own last."""
    return [*catalog.DATASETS, *(f"{catalog.TORCHVISION_PREFIX}{name}" for name in catalog.TORCHVISION_SETS)]


def own_name(text: str) -> str:
    """One's own images as a spec names them; a bare path is a zip, a table or arrays by its ending, else a folder."""
    path = text.strip()
    if catalog.own_path(path) is not None:
        return path
    whole, _ = catalog.apart(f"folder:{path}")
    return f"{_ENDINGS.get(Path(whole).suffix.lower(), 'folder')}:{path}"


def narrowed_name(name: str, classes: Sequence[str]) -> str:
    """The name of a data set with some of its classes chosen, in its one spelling where it can be; none: all of it."""
    if not classes or catalog.apart(name)[1] is not None or name.endswith(":"):
        return name
    narrowed = f"{name}{catalog.MARK}{','.join(classes)}"
    try:
        return catalog.data_name(narrowed)
    except BirdError:
        return narrowed  # the spec says why not


def parted(name: str) -> tuple[str, str, tuple[str, ...]]:
    """A spec's data as a form's choices: the data set or `OWN`, the path of one's own, and the classes chosen."""
    whole, asked = catalog.apart(name)
    own = catalog.own_path(name) is not None
    return OWN if own else whole, whole if own else "", () if asked is None else class_items([asked])


def class_items(asked: Sequence[str], classes: Sequence[str] = ()) -> tuple[str, ...]:
    """Classes one by one, each by its place where that is known, as text; what is no class stays as it was written."""
    found: list[str] = []
    for each in asked:
        try:
            read = catalog.read_classes(each, of="")
        except BirdError:
            read = (each,)
        found += (str(classes.index(item)) if isinstance(item, str) and item in classes else str(item) for item in read)
    return tuple(dict.fromkeys(found))


def own_problem(name: str) -> str | None:
    """What is wrong with where one's own images are said to be, before anything is read there; mostly nothing."""
    kind, _, path = catalog.apart(name)[0].partition(":")
    if not path:
        return "Say where your images are: the path of a folder, a zip, a table or arrays, or drop a file."
    if kind == "upload":
        return brought_problem(path)
    try:
        place = Path(path).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # nothing there, a name too long, or ~ of a user there isn't
        return f"There is nothing at {plain(path)} on the machine that runs this app."
    if kind == "folder" and not place.is_dir():
        return f"{path} is a file; images come in a folder with one folder per class, or in a .zip of one."
    if kind in ("zip", "csv") and not place.is_file():
        return f"{path} is not a file; write folder:{path} if it is a folder."
    return None


def size_text(said: object) -> str:
    """A size as the form and the address have it: `auto`, or the side in pixels; what can't be read stays as it is."""
    found = re.fullmatch(r"\s*(\d{1,5})(\s*[×x]\s*\1)?\s*(px|pixels)?\s*", str(said))
    return found[1] if found else str(said)


def size_setting(text: str) -> int | str:
    """The same as a spec has it."""
    return int(text) if text.isascii() and text.isdigit() else text


def known_size(text: str) -> bool:
    """Whether a spec takes it."""
    return text == AUTO or size_setting(text) in IMAGE_SIZES


def size_words(side: int) -> str:
    """`64 × 64`."""
    return f"{side} × {side}"
