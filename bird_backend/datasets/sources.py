"""The files of a folder or zip, listed and read without trusting either: nothing is ever unpacked to disk."""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

from bird_backend import settings
from bird_backend.datasets.images import SUFFIXES, UNREADABLE, BrokenImageError
from bird_backend.errors import InputError
from bird_backend.runs.zip_directory import members_in

__all__ = ["ImageFile", "Listing", "open_folder", "open_zip"]

_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Python reads the others in pieces of any size, so a small file could fill the memory."""
_MAX_FILE_BYTES = 4 * settings.MAX_IMAGE_PIXELS
_TABLES = (".csv", ".tsv")


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A file inside a source: its whole name, the parts of its path that matter, and how to read it."""

    name: str
    parts: tuple[str, ...]
    read: Callable[[], bytes]

    def inside_first(self) -> ImageFile:
        """The same file, seen from inside the first folder of its path."""
        return replace(self, parts=self.parts[1:])


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Images and tables of a source in the order of their paths, and the name endings of the files that are neither."""

    files: Sequence[ImageFile]
    tables: Sequence[ImageFile]
    others: Sequence[str]


@contextlib.contextmanager
def open_folder(path: Path) -> Iterator[Listing]:
    """What lies under a folder, what is hidden apart."""
    root = settings.found(path)
    if root is None or not root.is_dir():
        raise InputError(f"There is no folder at {path}.")
    budget = _Budget(path, size=None)
    found = _Found(budget)
    pending: list[tuple[str, tuple[str, ...]]] = [(str(root), ())]
    while pending:
        folder, parents = pending.pop()
        for entry in _entries(folder, budget):
            if _hidden((entry.name,)):
                continue
            if entry.is_symlink():
                _check_link(Path(entry.path), root)
            parts = (*parents, entry.name)
            if entry.is_dir():
                pending.append((entry.path, parts))
            elif entry.is_file():
                read = partial(_read_file, Path(entry.path), budget)
                found.add(str(PurePath(*parts)), parts, _size(entry), read)
    yield found.listing()


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[Listing]:
    """What lies in a zip, what is hidden apart; every member's name and size is judged first."""
    if (real := settings.found(path)) is None or not real.is_file():
        raise InputError(f"There is no zip file at {path}.")
    budget = _Budget(path, size=settings.MAX_UNPACKED_BYTES)
    try:
        budget.declare_files(members_in(real))
        archive = zipfile.ZipFile(real)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is not a zip file that can be read: {error}.") from error
    with archive:
        members = archive.infolist()
        budget.declare(sum(member.file_size for member in members))
        found = _Found(budget)
        for member in members:
            parts = _safe_parts(path, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise InputError(f"{path} holds a link, {member.filename!r}; it may hold only folders and files.")
            if member.is_dir() or _hidden(parts):
                continue
            if member.flag_bits & 0x1:
                raise InputError(f"{path} is encrypted; pack it again without a password.")
            if member.compress_type not in _PLAIN_METHODS:
                raise InputError(f"{path} holds {member.filename!r} packed by a rare method; use plain (deflate) zip.")
            read = partial(_read_member, archive, member, budget)
            found.add(member.filename, parts, member.file_size, read)
        yield found.listing()


class _Found:
    """Sorts files by what they are as they are come upon."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self._files: list[ImageFile] = []
        self._tables: list[ImageFile] = []
        self._others: list[str] = []

    def add(self, name: str, parts: tuple[str, ...], size: int, read: Callable[[], bytes]) -> None:
        suffix = PurePosixPath(parts[-1]).suffix.lower()
        if suffix in SUFFIXES:
            self._budget.add_image(name, size)
            self._files.append(ImageFile(name=name, parts=parts, read=read))
        elif suffix in _TABLES:
            self._tables.append(ImageFile(name=name, parts=parts, read=read))
        else:
            self._others.append(suffix)

    def listing(self) -> Listing:
        files, tables = (sorted(found, key=lambda file: file.parts) for found in (self._files, self._tables))
        return Listing(files=files, tables=tables, others=self._others)


def _entries(folder: str, budget: _Budget) -> Iterator[os.DirEntry[str]]:
    """A folder's entries, counted before any is looked at."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                budget.declare_files(1)
                yield entry
    except OSError as error:
        raise InputError(f"{error.filename} can't be read: {error.strerror}.") from error


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return 0  # gone since it was listed, which reading it says


def _check_link(link: Path, root: Path) -> None:
    target = settings.found(link)
    if target is None:
        raise InputError(f"{link} is a link that leads nowhere; put the file itself there.")
    if not target.is_relative_to(root):
        raise InputError(f"{link} is a link that leaves the folder {root}; put the files themselves there.")
    if link.is_dir():
        raise InputError(f"{link} is a link to a folder; put the folder itself there.")


class _Budget:
    """How much of one source may be listed and read in all, whatever its headers say."""

    def __init__(self, path: Path, size: int | None) -> None:
        self._path = path
        self._files = 0
        self._images = 0
        self._size = size
        self._left = size

    def declare(self, size: int) -> None:
        """Refuse a source that says itself it is too large."""
        if self._size is not None and size > self._size:
            raise InputError(self._too_much())

    def declare_files(self, count: int) -> None:
        """So many files or folders more, of whatever kind."""
        self._files += count
        if self._files > settings.MAX_FILES:
            raise InputError(f"{self._path} holds more than {settings.MAX_FILES:,} files, the most that are listed.")

    def add_image(self, name: str, size: int) -> None:
        """Refuse an image that says itself it is too large, and one image too many."""
        if size > _MAX_FILE_BYTES:
            raise InputError(f"{self._path} holds {name!r}, which is larger than an image may be.")
        self._images += 1
        if self._images > settings.MAX_IMAGES:
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
        raise BrokenImageError(str(path), UNREADABLE, error.strerror or str(error)) from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    try:
        with archive.open(member) as file:
            return budget.read(file, member.filename, min(member.file_size, _MAX_FILE_BYTES))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise BrokenImageError(f"{archive.filename}: {member.filename}", "damaged in its zip", str(error)) from error


def _safe_parts(path: Path, name: str) -> tuple[str, ...]:
    unified = name.replace("\\", "/")
    parts = tuple(part for part in unified.split("/") if part not in ("", "."))
    if unified.startswith("/") or ".." in parts or not parts or ":" in parts[0]:
        raise InputError(f"{path} holds {name!r}, a name that leaves the folder it would be unpacked in.")
    return parts


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
