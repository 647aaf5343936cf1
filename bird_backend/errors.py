"""Typed errors. The text of each is one sentence for a person: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["BirdError", "Cancelled", "InputError", "RunError", "UnknownNameError", "closest"]


class BirdError(Exception):
    """Something a person can put right; `str(error)` is what they are shown."""


class InputError(BirdError):
    """What was asked for can't be done as asked; the command line exits with 2."""


class RunError(BirdError):
    """The run itself went wrong (a loss that is not a number, a full disk); the command line exits with 1."""


class Cancelled(BirdError):  # noqa: N818 - a request that was heeded, not a fault
    """A person asked for the run to stop."""


class UnknownNameError(InputError):
    """A name that no registry holds."""

    def __init__(self, kind: str, name: str, valid: Iterable[str]) -> None:
        known = list(valid)
        near = closest(name, known)
        hint = f"did you mean {' or '.join(near)}?" if near else f"valid: {', '.join(known) or 'none'}."
        super().__init__(f"Unknown {kind} {name!r}: {hint}")
        self.name = name
        self.near = near


def closest(name: str, valid: Iterable[str], n: int = 3) -> list[str]:
    """The `n` valid names that look most like `name`, best first."""
    return difflib.get_close_matches(name, list(valid), n=n, cutoff=0.5)
