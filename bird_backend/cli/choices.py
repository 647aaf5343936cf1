"""Corruptions and severities as they are typed: `all`, `fog,snow`; `1-5`, `3`, `1,3`."""

from __future__ import annotations

import re

from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.errors import InputError

__all__ = ["parse_corruptions", "parse_severities"]


def parse_corruptions(text: str) -> tuple[str, ...]:
    """Names in the order given, each once; an unknown one is an `UnknownNameError` with the closest."""
    if text.strip() == "all":
        return tuple(CORRUPTIONS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError("--corruptions takes all, or names such as fog,snow.")
    return tuple(CORRUPTIONS.find(name).name for name in dict.fromkeys(names))


def parse_severities(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 to 5, ascending, each once."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9])\s*(?:-\s*([0-9])\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (SEVERITIES[0] <= first <= last <= SEVERITIES[-1]):
            raise InputError(f"--severities takes whole numbers from 1 to 5, such as 1-5, 3 or 1,3, not {text!r}.")
        found |= set(range(first, last + 1))
    return tuple(sorted(found))
