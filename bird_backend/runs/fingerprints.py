"""Fingerprints of files, folders and data sets: equal while what lies there is, and cheap enough for a page to ask."""

from __future__ import annotations

import hashlib
import os
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from bird_backend import catalog, settings
from bird_backend.errors import InputError
from bird_backend.runs.uploads import brought_images
from bird_backend.runs.zip_directory import members_in, read_members

__all__ = ["MISSING", "data_fingerprint", "file_digest", "folder_fingerprint"]

MISSING = "missing"
TOO_MANY = "too many files"
_SECONDS = 3.0
"""For how long a folder counts as looked at, since pages ask on every rerun; longer where looking took long itself."""
_TIMES_LONGER = 20
_MOST_HELD = 32

_held: dict[str, tuple[float, float, str]] = {}
"""By folder: when it was looked at, until when that counts, and what was found."""


def data_fingerprint(name: str, *, fresh: bool = False) -> str:
    """Changes when the images do; a folder is looked at anew if it is to be `fresh`.

    Of a zip it is its members' names and checksums, of a folder its files' names, sizes and times, of arrays the same
    of their files, of what was brought its digest. Downloads are checked against the checksums in the code, so their
    name is enough. Of a data set narrowed to some classes it is of them too, so that what depends on the images is told
    apart from what depends on the whole; the images themselves are read, and kept, by the whole one's name.
    """
    whole, asked = catalog.apart(name)
    found = _whole_fingerprint(whole, fresh=fresh)
    return found if asked is None or found in (MISSING, TOO_MANY) else _digest(f"{found} {asked}".encode())


def _whole_fingerprint(name: str, *, fresh: bool) -> str:
    if (own := catalog.own_path(name)) is not None:
        kind, path = own
        if kind == "upload":
            return _upload_fingerprint(path)
        if kind == "zip":
            return _zip_fingerprint(path, *_stat(settings.expanded(path)))
        place = settings.expanded(path)
        if kind == "csv":
            return _digest(f"{place.name} {folder_fingerprint(str(place.parent), fresh=fresh)}".encode())
        if kind == "arrays" and not place.is_dir():
            found = _stat(place)
            return MISSING if found[0] == 0 else _digest(repr(found[1:]).encode())
        return folder_fingerprint(path, fresh=fresh)
    if name == "digits":
        return f"scikit-learn {version('scikit-learn')}"
    asset = settings.ASSETS / f"{name}.npz"
    if asset.is_file() and name in catalog.DATASETS and not catalog.DATASETS[name].network:
        return file_digest(asset)
    return name


def _upload_fingerprint(path: str) -> str:
    """Its name is its digest, whatever its title."""
    try:
        return brought_images(path).name[:32]
    except InputError:
        return MISSING


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, read again only when the file is another or was written to."""
    return _file_digest(str(path), *_stat(path))


def folder_fingerprint(path: str, *, fresh: bool = False) -> str:
    """Of the names, sizes and times of a folder's files; of one with too many to be a data set, that it has.

    Held for a few seconds, and for many times as long as it took to look, unless it is to be `fresh`.
    """
    now = _now()
    looked, until, found = _held.get(path, (0.0, 0.0, ""))
    if looked <= now < until and not fresh:
        return found
    began = time.monotonic()
    found = _look(settings.expanded(path))
    took = time.monotonic() - began
    if len(_held) >= _MOST_HELD:
        _held.clear()
    _held[path] = (now, now + max(_SECONDS, _TIMES_LONGER * took), found)
    return found


def _look(root: Path) -> str:
    """What is hidden is left out, as it is from a data set, and so is our own home, which changes all the time."""
    if _has_too_many(root):
        return TOO_MANY
    digest, count, pending, home = hashlib.sha256(), 0, [str(root)], str(settings.home())
    while pending:
        folder = pending.pop()
        files, below = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    count += 1
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if entry.path != home:
                            below.append(entry.path)
                    else:
                        files.append((entry.name, *_times(entry)))
        except (OSError, ValueError):
            continue
        pending += sorted(below, reverse=True)
        if files:
            inner = os.path.relpath(folder, root)
            digest.update(repr((inner, sorted(files))).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32] if count else MISSING


def _has_too_many(root: Path) -> bool:
    """Whether there are more than may be listed. Files are only counted, which takes a tenth of looking at each."""
    count, pending = 0, [str(root)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count > settings.MAX_FILES:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except (OSError, ValueError):
            continue
    return False


def _times(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _file_digest(path: str, _inode: int, _size: int, _mtime: int) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return MISSING


@lru_cache(maxsize=32)
def _zip_fingerprint(path: str, inode: int, _size: int, _mtime: int) -> str:
    if inode == 0:
        return MISSING
    try:
        if members_in(settings.expanded(path)) > settings.MAX_FILES:
            return TOO_MANY
        members = sorted(read_members(settings.expanded(path)))
    except (OSError, ValueError):
        return MISSING
    return _digest(repr(members).encode()) if members else MISSING


def _now() -> float:
    return time.monotonic()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
