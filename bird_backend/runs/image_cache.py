"""Images as they were decoded, kept in the home so that they are decoded once; torch-free, for whoever lists or frees.

cache/images/KEY/    images.npy uint8 [N,3,S,S], labels.npy int64 [N], about.json; never changed once it is there
cache/images/KEY.json    for images whose size was left to us: which entry that is

The key is a digest of the data's fingerprint, the image size and the decoder's version, so nothing here is ever stale.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bird_backend import settings
from bird_backend.errors import InputError, RunError, UnknownNameError
from bird_backend.runs.cache_folders import remove_folder, size_of_folder
from bird_backend.runs.directory import is_locked, locked, write_json

__all__ = [
    "CachedImages",
    "cache_key",
    "discard_entry",
    "find_entry",
    "free_cached",
    "keep_entry",
    "list_cached",
    "new_entry",
]

_LOCK = "lock"
_ABOUT = "about.json"
_YOUNG_SECONDS = 60.0
"""A folder that was just made is not locked yet, one that is about to be kept no more."""


@dataclass(frozen=True, kw_only=True)
class CachedImages:
    """Decoded images of a data set at a size."""

    key: str
    name: str
    """The data set's, as it was first asked for."""
    image_size: int
    images: int
    bytes: int
    created: float
    """Seconds since the epoch."""


def cache_key(fingerprint: str, image_size: int | str, decoder: int) -> str:
    """Where images of that fingerprint and size lie; `auto` is a size too."""
    return hashlib.sha256(json.dumps([fingerprint, image_size, decoder]).encode()).hexdigest()[:24]


def list_cached() -> list[CachedImages]:
    """What is there, the largest first."""
    found = []
    for folder in _folders():
        if (about := _about(folder)) is not None:
            found.append(
                CachedImages(
                    key=folder.name,
                    name=str(about.get("name", "")),
                    image_size=int(about.get("image_size", 0)),
                    images=sum(about.get("counts", {}).values()),
                    bytes=size_of_folder(folder),
                    created=float(about.get("created", 0.0)),
                )
            )
    return sorted(found, key=lambda entry: (-entry.bytes, entry.key))


def free_cached(which: str) -> list[CachedImages]:
    """Remove the images of the data set `which`, or of an entry by its key, or `all`; returns what was removed.

    A run that has them open keeps them until it ends. What is not there is an `UnknownNameError`.
    """
    there = list_cached()
    freed = [entry for entry in there if which in ("all", entry.name, entry.key)]
    if not freed and which != "all":
        raise UnknownNameError("data set in the cache", which, [*dict.fromkeys(entry.name for entry in there), "all"])
    for entry in freed:
        remove_folder(_root() / entry.key)
    keys = {entry.key for entry in freed}
    for note in _root().glob("*.json"):
        if which == "all" or _pointed_at(note) in keys:
            note.unlink(missing_ok=True)
    _remove_leftovers()
    return freed


def find_entry(key: str) -> tuple[Path, dict[str, Any]] | None:
    """The folder of an entry, or of the one it stands for, and what it says of itself."""
    folder = _root() / key
    if not folder.is_dir():
        folder = _root() / (_pointed_at(_root() / f"{key}.json") or key)
    about = _about(folder)
    return None if about is None else (folder, about)


@contextlib.contextmanager
def new_entry() -> Iterator[Path]:
    """A folder to put an entry together in; gone afterwards, unless it was kept."""
    root = _root()
    folder = root / f".{secrets.token_hex(8)}"
    try:
        settings.make_home()
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers()
        folder.mkdir()
    except OSError as error:
        raise InputError(f"The cache {root} can't be written: {error.strerror}.") from error
    try:
        with locked(folder / _LOCK):
            yield folder
    except OSError as error:
        raise RunError(
            f"The images can't be kept in {root} ({error.strerror or error}); free some room, such as by"
            " `python -m bird_backend cache --free all`."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep_entry(folder: Path, key: str, about: Mapping[str, Any], *, also: str | None = None) -> Path:
    """Put a folder of `new_entry` in its place, in one step; if somebody was faster, theirs, which is the same.

    `also` is the key that stands for this one where the size was left to us.
    """
    place = _root() / key
    write_json(folder / _ABOUT, {**about, "created": time.time()})
    (folder / _LOCK).unlink(missing_ok=True)
    if place.is_dir() and _about(place) is None:
        remove_folder(place)
    try:
        folder.rename(place)
    except OSError:
        if _about(place) is None:
            raise
    if also is not None and also != key:
        write_json(_root() / f"{also}.json", {"key": key})
    return place


def discard_entry(key: str) -> None:
    """Remove an entry that turned out to be damaged."""
    remove_folder(_root() / key)


def _root() -> Path:
    return settings.cache_dir() / "images"


def _folders() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(path for path in _root().iterdir() if path.is_dir() and not path.name.startswith("."))


def _about(folder: Path) -> dict[str, Any] | None:
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) and isinstance(about.get("counts"), dict) else None


def _pointed_at(note: Path) -> str | None:
    try:
        key = json.loads(note.read_text("utf-8"))["key"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return key if isinstance(key, str) and key.isalnum() else None


def _remove_leftovers() -> None:
    """Of processes that died while they decoded."""
    with contextlib.suppress(OSError):
        for path in _root().iterdir():
            young = time.time() - path.stat().st_mtime < _YOUNG_SECONDS
            if path.name.startswith(".") and not young and not is_locked(path / _LOCK):
                shutil.rmtree(path, ignore_errors=True)
