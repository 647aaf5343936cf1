"""What an export declares: its name, what it gives, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bird_backend.runs.store import Run

__all__ = ["Export"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A form that a run is had in. Declared in a file of this folder, it is on the command line."""

    name: str
    place: int
    title: str
    caption: str
    write: Callable[[Run, Path], list[str]]
    """Into a folder that is there; returns paths and addresses. It imports its package when it is called."""
    package: str | None = None
    """What has to be installed for it, by the name that is imported and installed alike (requirements-extras.txt)."""
