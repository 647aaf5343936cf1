"""Files that were dropped into the browser and are kept: what they are, how large, and which runs name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.backend import data
from bird_backend.errors import InputError
from bird_backend.runs import uploads
from bird_backend.runs.store import Run, RunStore

__all__ = ["KeptFile", "forget", "kept_files"]

_NAMED = re.compile(r"\b([0-9a-f]{64})\b(?:/([^\"]{1,80}))?")


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """`runs` are those that name it, the newest first; `title` is what it was called, as far as one of them says."""

    name: str
    title: str
    bytes: int
    kept: float
    """Seconds since the epoch."""
    runs: tuple[Run, ...]

    @property
    def at_work(self) -> Run | None:
        """A run that reads it now or waits to."""
        return next((run for run in self.runs if data.is_active(run)), None)


def kept_files() -> list[KeptFile]:
    """All of them, the largest first."""
    there = {path.name: path.stat() for path in uploads.list_uploads()}
    naming: dict[str, list[Run]] = {name: [] for name in there}
    titles: dict[str, str] = {}
    for run in RunStore().list() if there else ():
        for name, title in _named(run):
            if name in naming:
                naming[name].append(run)
                titles[name] = titles.get(name) or title
    return [
        KeptFile(
            name=name,
            title=titles.get(name) or f"A file that no run calls by a name, {name[:8]}…",
            bytes=stat.st_size,
            kept=stat.st_mtime,
            runs=tuple(naming[name]),
        )
        for name, stat in there.items()
    ]


def forget(name: str) -> int:
    """Remove a file; returns the bytes that were freed. One that a run reads now or waits to is an `InputError`."""
    found = next((file for file in kept_files() if file.name == name), None)
    if found is None:
        return 0
    if (run := found.at_work) is not None:
        raise InputError(f"{found.title} is needed by {run.title}, which is {run.state}: stop that run first.")
    return uploads.forget_upload(name)


def _named(run: Run) -> tuple[tuple[str, str], ...]:
    return _names_in(str(run.directory.path / "spec.json"))


@lru_cache(maxsize=4096)  # a run's spec never changes
def _names_in(path: str) -> tuple[tuple[str, str], ...]:
    """Digests in a spec, each with what it says that the file was called."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError):
        return ()
    kept_as = re.search(r'"save_as": "([^"]+)"', text) if '"kind": "convert"' in text else None
    usual = kept_as[1] if kept_as else "A picture" if '"kind": "gallery"' in text else ""
    return tuple((found[1], found[2] or usual) for found in _NAMED.finditer(text))
