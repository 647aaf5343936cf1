"""Typed errors. The text of each is one sentence for a person: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

__all__ = ["BirdError", "Cancelled", "InputError", "RunError", "UnknownNameError", "closest", "is_plain", "plain"]


class BirdError(Exception):
    """Something a person can put right; `str(error)` is what they are shown: one line that any terminal can take."""

    def __str__(self) -> str:
        return plain(super().__str__())


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


def is_plain(text: str) -> bool:
    """Whether text can be shown and stored as it is: no control characters, and nothing that UTF-8 can't say."""
    return all(unicodedata.category(character) not in _UNSEEN for character in text)


def plain(text: str) -> str:
    """The text with what is not plain written out, and the middle of a very long one left out."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return text if is_plain(text) else "".join(map(_written_out, text))


def _written_out(character: str) -> str:
    return character if is_plain(character) else character.encode("unicode_escape").decode("ascii")


_UNSEEN = ("Cc", "Cs")
_LONGEST = 1200
