"""What attributes are made of, kept in the home so that it is computed once; torch-free, for whoever lists or frees.

cache/features/KEY/    what the layers of one network say of one set of images, a .safetensors a layer; about.json
cache/changed/KEY/     those images under each condition, a .npy a cell, which every network is shown; about.json

Keys are digests of everything that the content depends on, so nothing here is ever stale. Together they take as much
room as the settings allow: what was used least recently goes first. Whatever goes is computed again when it is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from bird_backend import settings
from bird_backend.errors import InputError, RunError
from bird_backend.runs.cache_folders import remove_folder, size_of_folder
from bird_backend.runs.directory import write_json

__all__ = ["FeatureCache", "FeatureFolder", "KeptFeatures", "Part", "content_key", "free_features", "list_features"]

Part = Literal["features", "changed"]

_ABOUT = "about.json"
_MARGIN = 64 * 2**20
"""Bytes that are left free on the disk, for whoever else writes there."""
_OLD_SECONDS = 3600.0
"""Nothing is written for so long: what is half done for longer is of a process that died."""


@dataclass(frozen=True, kw_only=True)
class KeptFeatures:
    """One folder of the cache."""

    part: Part
    key: str
    name: str
    """The data set's."""
    network: str
    """As a list calls it; empty for images."""
    images: int
    bytes: int
    created: float
    """Seconds since the epoch."""


def content_key(facts: object) -> str:
    """Where what depends on these facts lies; they are what JSON can say."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def list_features() -> list[KeptFeatures]:
    """What is there, the largest first."""
    found = []
    for part, folder in _folders():
        about = _about(folder)
        if about is not None:
            found.append(
                KeptFeatures(
                    part=part,
                    key=folder.name,
                    name=str(about.get("name", "")),
                    network=str(about.get("network", "")),
                    images=int(about.get("images", 0)),
                    bytes=size_of_folder(folder),
                    created=float(about.get("created", 0.0)),
                )
            )
    return sorted(found, key=lambda kept: (-kept.bytes, kept.key))


def free_features(which: str) -> list[KeptFeatures]:
    """Remove what is of the data set `which`, or a folder by its key, or `all`; returns what was removed."""
    freed = [kept for kept in list_features() if which in ("all", kept.name, kept.key)]
    for kept in freed:
        remove_folder(_root(kept.part) / kept.key)
    if which == "all":
        for part in get_args(Part):
            shutil.rmtree(_root(part), ignore_errors=True)
    return freed


class FeatureCache:
    """Writes within the room there is; what this object has opened it doesn't remove to make some."""

    def __init__(self) -> None:
        self._in_use: set[Path] = set()
        self._limit = settings.feature_cache()
        _remove_leftovers()

    def open(self, part: Part, key: str, about: Mapping[str, Any]) -> FeatureFolder:
        """The folder of that key; it is made when something is put there. `about` has `name`, `network`, `images`."""
        path = _root(part) / key
        self._in_use.add(path)
        with contextlib.suppress(OSError):
            os.utime(path / _ABOUT)  # it was used now
        return FeatureFolder(path=path, about=about, cache=self)

    def make_room(self, size: int, what: str) -> None:
        """For `size` bytes more, by removing the longest unused; an `InputError` or `RunError` where that can't be."""
        if size > self._limit:
            raise InputError(
                f"{what} would take {_said(size)}, more than the {_said(self._limit)} that the cache may"
                " (BIRD_FEATURE_CACHE, in MiB); take fewer images, conditions or strengths."
            )
        there = [(folder, size_of_folder(folder)) for _, folder in _folders()]
        total = sum(size_there for _, size_there in there)
        for folder, size_there in sorted(there, key=lambda entry: _used(entry[0])):
            if total + size <= self._limit:
                break
            if folder not in self._in_use:
                remove_folder(folder)
                total -= size_there
        if total + size > self._limit:
            raise InputError(
                f"{what} and what else is computed here would take {_said(total + size)}, more than the"
                f" {_said(self._limit)} that the cache may (BIRD_FEATURE_CACHE, in MiB); take fewer images, conditions,"
                " strengths or layers."
            )
        free = shutil.disk_usage(settings.make_home()).free
        if size + _MARGIN > free:
            raise RunError(
                f"{what} would take {_said(size)}, and the disk of {settings.home()} has {_said(free)} left; free some"
                " room, such as by `python -m bird_backend cache --free all`, or take fewer images."
            )


@dataclass(frozen=True, kw_only=True)
class FeatureFolder:
    """Files that belong together. Each is whole or absent."""

    path: Path
    about: Mapping[str, Any]
    cache: FeatureCache

    def find(self, name: str) -> Path | None:
        """The file of that name, if it is there."""
        path = self.path / name
        return path if path.is_file() else None

    def keep(self, name: str, size: int, write: Callable[[IO[bytes]], None], what: str) -> Path:
        """The file of that name, `size` bytes long, as `write` writes it; an error says `what` it is."""
        self.cache.make_room(size, what)
        path, partial = self.path / name, self.path / f".{secrets.token_hex(8)}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                write(file)
            if not (self.path / _ABOUT).exists():
                write_json(self.path / _ABOUT, {**self.about, "created": time.time()}, durable=False)
            partial.replace(path)
        except OSError as error:
            raise RunError(
                f"{what} can't be kept in {self.path.parent} ({error.strerror or error}); free some room, such as by"
                " `python -m bird_backend cache --free all`."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        return path


def _root(part: str) -> Path:
    return settings.cache_dir() / part


def _folders() -> Iterator[tuple[Part, Path]]:
    for part in get_args(Part):
        with contextlib.suppress(OSError):
            for path in sorted(_root(part).iterdir()):
                if path.is_dir() and not path.name.startswith("."):
                    yield part, path


def _about(folder: Path) -> dict[str, Any] | None:
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) else None


def _used(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return (folder / _ABOUT).stat().st_mtime
    return 0.0


def _remove_leftovers() -> None:
    """What processes that died were writing or removing."""
    for part in get_args(Part):
        for path in (*_root(part).glob(".*"), *_root(part).glob("*/.*")):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime < _OLD_SECONDS:
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def _said(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"
