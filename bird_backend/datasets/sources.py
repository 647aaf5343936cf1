"""The image files of a folder or zip, listed and read without trusting either: nothing is ever unpacked to disk."""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from bird_backend import settings
from bird_backend.datasets.images import SUFFIXES
from bird_backend.errors import InputError

__all__ = ["ImageFile", "Listing", "open_folder", "open_zip"]

_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Python reads the others in pieces of any size, so a small file could fill the memory."""
_MAX_FILE_BYTES = 4 * settings.MAX_IMAGE_PIXELS


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An image inside a source: its whole name, the parts of its path that matter, and how to read it."""

    name: str
    parts: tuple[str, ...]
    read: Callable[[], bytes]

    def inside_first(self) -> ImageFile:
        """The same image, seen from inside the first folder of its path."""
        return replace(self, parts=self.parts[1:])


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The image files of a source in the order of their paths, and the name endings of the files that are none."""

    files: Sequence[ImageFile]
    others: Sequence[str]


@contextlib.contextmanager
def open_folder(path: Path) -> Iterator[Listing]:
    """What lies under a folder, what is hidden apart."""
    root = settings.found(path)
    if root is None or not root.is_dir():
        raise InputError(f"There is no folder at {path}.")
    budget = _Budget(path, size=None)
    files: list[ImageFile] = []
    others: list[str] = []

    def unreadable(error: OSError) -> None:
        raise InputError(f"{error.filename} can't be read: {error.strerror}.")

    for folder, subfolders, names in os.walk(root, onerror=unreadable):
        subfolders[:] = sorted(name for name in subfolders if not _hidden((name,)))
        for name in (*subfolders, *sorted(names)):
            entry = Path(folder, name)
            if _hidden((name,)):
                continue
            if entry.is_symlink():
                _check_link(entry, root)
            if not entry.is_file():
                continue
            if entry.suffix.lower() not in SUFFIXES:
                others.append(entry.suffix.lower())
            else:
                inner = entry.relative_to(root)
                budget.add_file(str(inner), entry.stat().st_size)
                files.append(ImageFile(name=str(inner), parts=inner.parts, read=partial(_read_file, entry, budget)))
    yield Listing(files=sorted(files, key=lambda file: file.parts), others=others)


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[Listing]:
    """What lies in a zip, what is hidden apart; every member's name and size is judged first."""
    if (real := settings.found(path)) is None or not real.is_file():
        raise InputError(f"There is no zip file at {path}.")
    try:
        archive = zipfile.ZipFile(real)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is not a zip file that can be read: {error}.") from error
    with archive:
        members = archive.infolist()
        budget = _Budget(path, size=settings.MAX_UNPACKED_BYTES)
        budget.declare(sum(member.file_size for member in members))
        files: list[ImageFile] = []
        others: list[str] = []
        for member in members:
            parts = _safe_parts(path, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise InputError(f"{path} holds a link, {member.filename!r}; it may hold only folders and files.")
            if member.is_dir() or _hidden(parts):
                continue
            if (suffix := PurePosixPath(parts[-1]).suffix.lower()) not in SUFFIXES:
                others.append(suffix)
                continue
            if member.flag_bits & 0x1:
                raise InputError(f"{path} is encrypted; pack it again without a password.")
            if member.compress_type not in _PLAIN_METHODS:
                raise InputError(f"{path} holds {member.filename!r} packed by a rare method; use plain (deflate) zip.")
            budget.add_file(member.filename, member.file_size)
            files.append(
                ImageFile(name=member.filename, parts=parts, read=partial(_read_member, archive, member, budget))
            )
        yield Listing(files=sorted(files, key=lambda file: file.parts), others=others)


def _check_link(link: Path, root: Path) -> None:
    target = settings.found(link)
    if target is None:
        raise InputError(f"{link} is a link that leads nowhere; put the file itself there.")
    if not target.is_relative_to(root):
        raise InputError(f"{link} is a link that leaves the folder {root}; put the files themselves there.")
    if link.is_dir():
        raise InputError(f"{link} is a link to a folder; put the folder itself there.")


class _Budget:
    """How much of one source may be read in all, whatever its headers say."""

    def __init__(self, path: Path, size: int | None) -> None:
        self._path = path
        self._files = 0
        self._size = size
        self._left = size

    def declare(self, size: int) -> None:
        """Refuse a source that says itself it is too large."""
        if self._size is not None and size > self._size:
            raise InputError(self._too_much())

    def add_file(self, name: str, size: int) -> None:
        """Refuse an image that says itself it is too large, and one image too many."""
        if size > _MAX_FILE_BYTES:
            raise InputError(f"{self._path} holds {name!r}, which is larger than an image may be.")
        self._files += 1
        if self._files > settings.MAX_IMAGES:
            raise InputError(f"{self._path} holds more than {settings.MAX_IMAGES:,} images, the most it may.")

    def read(self, file: IO[bytes], name: str, size: int) -> bytes:
        """All of an open file said to be of `size`; a little more is asked for, and getting it is a refusal."""
        data = file.read(size + 1)
        if len(data) > size:
            raise InputError(f"{self._path} holds {name!r}, which is larger than an image may be.")
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise InputError(self._too_much())
        return data

    def _too_much(self) -> str:
        size = settings.MAX_UNPACKED_BYTES / 2**30
        return f"{self._path} unpacks to more than {size:g} GiB, the most a data set may take."


def _read_file(path: Path, budget: _Budget) -> bytes:
    try:
        with path.open("rb") as file:
            return budget.read(file, path.name, _MAX_FILE_BYTES)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    try:
        with archive.open(member) as file:
            return budget.read(file, member.filename, member.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{archive.filename} is damaged at {member.filename!r}: {error}.") from error


def _safe_parts(path: Path, name: str) -> tuple[str, ...]:
    unified = name.replace("\\", "/")
    parts = tuple(part for part in unified.split("/") if part not in ("", "."))
    if unified.startswith("/") or ".." in parts or not parts or ":" in parts[0]:
        raise InputError(f"{path} holds {name!r}, a name that leaves the folder it would be unpacked in.")
    return parts


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
