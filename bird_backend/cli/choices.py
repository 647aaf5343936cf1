"""Conditions, strengths and sizes as they are typed: `all`, `fog,snow`; `1-5`, `3`, `1,3`; `auto`, `64`."""

from __future__ import annotations

import re

from pydantic import TypeAdapter

from bird_backend.behaviours import STRENGTHS, Behaviour
from bird_backend.errors import InputError
from bird_backend.specs import ImageSize

__all__ = ["parse_conditions", "parse_duration", "parse_image_size", "parse_strengths"]


def parse_conditions(text: str, behaviour: Behaviour, option: str = "--conditions") -> tuple[str, ...]:
    """Names in the order given, each once; an unknown one is an `UnknownNameError` with the closest."""
    if text.strip() == "all":
        return tuple(behaviour.conditions)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{option} takes all, or names such as {','.join(list(behaviour.conditions)[:2])}.")
    return tuple(behaviour.find(name).name for name in dict.fromkeys(names))


def parse_strengths(text: str, option: str = "--strengths") -> tuple[int, ...]:
    """Whole numbers from 1 to 5, ascending, each once."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9])\s*(?:-\s*([0-9])\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (STRENGTHS[0] <= first <= last <= STRENGTHS[-1]):
            raise InputError(f"{option} takes whole numbers from 1 to 5, such as 1-5, 3 or 1,3, not {text!r}.")
        found |= set(range(first, last + 1))
    return tuple(sorted(found))


def parse_image_size(text: str, option: str = "--image-size") -> ImageSize:
    """`auto`, or a side in pixels."""
    try:
        return TypeAdapter(ImageSize).validate_python(int(text) if text.strip().isdecimal() else text.strip())
    except ValueError as error:
        raise InputError(f"{option} takes auto, or a number from 16 to 512 in steps of 8, not {text!r}.") from error


_UNITS = {"h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)")


def parse_duration(text: str) -> float:
    """Seconds of `2h`, `90m`, `45s` or `1h 30m`; anything else is an `InputError`."""
    parts = _SPAN.findall(text)
    if not parts or _SPAN.sub("", text).strip():
        raise InputError(f"A span of time is such as 2h, 90m or 1h 30m, not {text!r}.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
