"""What an export declares: its name, what it gives, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bird_backend.runs.store import Run

__all__ = ["Export"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A form that a run is had in. Declared in a file of this folder, it is on the command line and in the app."""

    name: str
    place: int
    title: str
    caption: str
    write: Callable[[Run, Path], list[str]]
    """Into a folder that is there; returns paths and addresses. It imports its package when it is called."""
    has: Callable[[Run], bool]
    """Whether a run has, by a quick look, what is written."""
    download: str | None = None
    """What a browser's file of it is called behind the run's id: one of the files that are written, or a `.zip` of all.
    None: it goes elsewhere than into files, or takes torch, so that a terminal is the place for it."""
    package: str | None = None
    """What has to be installed for it, by the name that is imported and installed alike (requirements-extras.txt)."""

    @property
    def needs(self) -> str:
        """What has to be installed for it, in a sentence."""
        return f"An export to {self.title} needs the package {self.package}: pip install {self.package}."

    @property
    def is_here(self) -> bool:
        """Whether that is installed."""
        return self.package is None or find_spec(self.package) is not None
