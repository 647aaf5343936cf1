"""Checkpoints that are kept at a run's snapshots, so that it can be forked there, within a limit on disk.

One run has at most a quarter of the limit, and thins its own out: of its checkpoints that goes whose neighbours are the
nearest in steps, so that what stays is spread over the training. Where all runs together have too much, the one that
was written longest ago loses its own first. What a run resumes from is none of these and is never removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bird_backend import settings
from bird_backend.runs.directory import RunDirectory

__all__ = ["Kept", "forget_after", "keep", "kept_of", "used"]

_FILE = re.compile(r"([a-z-]+)-(\d{6,})\.safetensors")
_RUN_SHARE = 4
"""The limit over what one run may have of it."""


@dataclass(frozen=True, order=True)
class Kept:
    """A checkpoint of an arm after so many steps."""

    arm: str
    step: int
    path: Path
    size: int
    """Bytes."""


def keep(directory: RunDirectory, arm: str, step: int, write: Callable[[Path], None]) -> None:
    """Have `write` put a checkpoint where it is kept, and remove as many as the limit wants."""
    if settings.kept_checkpoints() == 0:
        return
    directory.kept.mkdir(parents=True, exist_ok=True)
    write(directory.kept / f"{arm}-{step:06d}.safetensors")
    _tidy(directory)


def kept_of(directory: RunDirectory) -> list[Kept]:
    """Those of a run, by arm, then step."""
    found = []
    for path in _files(directory.kept):
        match = _FILE.fullmatch(path.name)
        try:
            if match is not None:
                found.append(Kept(match[1], int(match[2]), path, path.stat().st_size))
        except OSError:  # removed meanwhile
            continue
    return sorted(found)


def used() -> int:
    """Bytes that those of all runs take."""
    return sum(_size(folder) for folder in _folders())


def forget_after(directory: RunDirectory, arm: str, step: int) -> None:
    """Remove those after a step, to which the run has gone back."""
    for each in kept_of(directory):
        if each.arm == arm and each.step > step:
            each.path.unlink(missing_ok=True)


def _tidy(directory: RunDirectory) -> None:
    limit = settings.kept_checkpoints()
    own = kept_of(directory)
    while len(own) > 1 and sum(each.size for each in own) > limit // _RUN_SHARE:
        own = _without_nearest(own)
    sizes = {folder: _size(folder) for folder in _folders()}
    too_much = sum(sizes.values()) - limit
    for folder in sorted(sizes, key=_written):
        if too_much <= 0:
            return
        of_run = kept_of(RunDirectory(folder.parent.parent))
        while of_run and too_much > 0:
            before = sum(each.size for each in of_run)
            of_run = _without_nearest(of_run)
            too_much -= before - sum(each.size for each in of_run)


def _without_nearest(kept: Sequence[Kept]) -> list[Kept]:
    """Remove the one whose neighbours are nearest, among equals the oldest; an arm's last stays longest."""

    def gap(place: int) -> tuple[bool, int, int]:
        before, after = (kept[at] if 0 <= at < len(kept) else None for at in (place - 1, place + 1))
        start = before.step if before is not None and before.arm == kept[place].arm else 0
        is_last = after is None or after.arm != kept[place].arm
        return is_last, (kept[place].step if after is None or is_last else after.step) - start, kept[place].step

    gone = min(range(len(kept)), key=gap)
    kept[gone].path.unlink(missing_ok=True)
    return [each for place, each in enumerate(kept) if place != gone]


def _folders() -> list[Path]:
    return list(settings.runs_dir().glob("*/checkpoint/kept"))


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.safetensors"))


def _size(folder: Path) -> int:
    return sum(each.size for each in kept_of(RunDirectory(folder.parent.parent)))


def _written(folder: Path) -> float:
    """When something was last put there, or removed."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
