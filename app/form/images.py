"""Which images a form is told of, and at what size: as a person writes it, and as a spec names it."""

from __future__ import annotations

import re
from pathlib import Path

from app.backend.uploads import brought_problem
from bird_backend import catalog
from bird_backend.errors import plain
from bird_backend.specs import IMAGE_SIZES

__all__ = [
    "AUTO",
    "OWN",
    "SIZES",
    "data_sets",
    "known_size",
    "own_name",
    "own_problem",
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
    return f"{_ENDINGS.get(Path(path).suffix.lower(), 'folder')}:{path}"


def own_problem(name: str) -> str | None:
    """What is wrong with where one's own images are said to be, before anything is read there; mostly nothing."""
    kind, _, path = name.partition(":")
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
