"""Folders that hold what can be made again: how large one is, and how it goes while others may be reading it."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from pathlib import Path

__all__ = ["remove_folder", "size_of_folder"]


def size_of_folder(folder: Path) -> int:
    """Bytes of its files; 0 where it is gone."""
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir())
    return 0


def remove_folder(folder: Path) -> None:
    """Out of its place at once, then file by file; whoever has one open keeps it."""
    doomed = folder.with_name(f".{secrets.token_hex(8)}")
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
