"""A data set narrowed to some of its classes by its name: `cifar10#0,3,5-9`, `fashion-mnist-small#Bag,Coat`.

Numbers are places in the data set's own order, and a number is never a class's name; what is no number is one. A class
whose name has a comma or a `#` is chosen by its place.

A path may have a `#` of its own. What follows the last one is classes, unless it has a slash in it, or the path exists
as it stands and either what precedes the `#` does not, or the rest is no list of two classes or more. So where both
`new` and `new#1,2` exist, `folder:new#1,2` is two classes of `new`, and `folder:new#1,2/` is the other folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bird_backend import settings
from bird_backend.errors import BirdError, InputError, UnknownNameError

__all__ = ["MARK", "Chosen", "apart", "places_of", "read_classes", "write_classes"]

MARK = "#"
Chosen = tuple[int | str, ...]
"""Classes by their place, or by name where nobody knows yet which place that is."""
_PLACE = re.compile(r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?")
_FEWEST = 2
_MOST_NAMED = 20


def apart(name: str) -> tuple[str, str | None]:
    """The whole data set's name and the classes that follow it, as they are written; none where it is all of it."""
    whole, mark, asked = name.rpartition(MARK)
    kind, colon, path = whole.partition(":")
    if not mark:
        return name, None
    if not colon or kind == "torchvision":
        return whole, asked
    return (name, None) if "/" in asked or _is_path(name.partition(":")[2], path, asked, kind) else (whole, asked)


def _is_path(everything: str, before: str, asked: str, kind: str) -> bool:
    """Whether the `#` is part of the path itself. What was brought has a title in its place, which is no path."""
    if kind != "upload":
        if settings.found(everything) is None:
            return False
        if settings.found(before) is None:
            return True
    try:
        return len(read_classes(asked, of=before)) < _FEWEST
    except BirdError:
        return True


def read_classes(asked: str, *, of: str) -> Chosen:
    """The classes that are written after the `#` of the data set `of`, ranges spelled out; else an `InputError`."""
    items = [item.strip() for item in asked.split(",")]
    if not all(items):
        raise InputError(f"After the # of {of} stand classes, such as {of}#0-4 or {of}#0,3, and here one is missing.")
    found: list[int | str] = []
    for item in items:
        if (span := _PLACE.fullmatch(item)) is None:
            found.append(item)
            continue
        first, last = int(span[1]), int(span[2] or span[1])
        if last < first:
            raise InputError(f"{of}#{asked} has a range that runs backwards, {item}; write {last}-{first}.")
        found += range(first, last + 1)
    return tuple(found)


def places_of(chosen: Chosen, classes: Sequence[str], *, of: str, count: int = 0) -> Chosen:
    """Sorted places among `classes`; where their names aren't known, names stay, and there are `count`, 0 if unknown.

    A class that there isn't, one named twice and fewer than two are each an `InputError`.
    """
    count = len(classes) or count
    found = [_place(each, classes, of, count) for each in chosen]
    if twice := [each for each in dict.fromkeys(found) if found.count(each) > 1]:
        named = classes[twice[0]] if classes and isinstance(twice[0], int) else twice[0]
        raise InputError(f"{of} is narrowed to class {named} twice; name each class once.")
    if len(found) < _FEWEST:
        raise InputError(f"{of} is narrowed to one class; there is nothing to tell apart with fewer than two.")
    numbers = sorted(each for each in found if isinstance(each, int))
    return (*numbers, *sorted(each for each in found if isinstance(each, str)))


def _place(each: int | str, classes: Sequence[str], of: str, count: int) -> int | str:
    if isinstance(each, int):
        if count and each >= count:
            raise InputError(f"{of} has {count} classes, numbered from 0 to {count - 1}, so there is no class {each}.")
        return each
    if not classes:
        return each
    if each not in classes:
        more = ("…",) if len(classes) > _MOST_NAMED else ()
        raise UnknownNameError(f"class of {of}", each, (*classes[:_MOST_NAMED], *more))
    return list(classes).index(each)


def write_classes(chosen: Iterable[int | str]) -> str:
    """Sorted places, neighbours as ranges, then names: `0,3,5-9`, `cat,dog`."""
    spans: list[list[int]] = []
    names: list[str] = []
    for each in chosen:
        if isinstance(each, str):
            names.append(each)
        elif spans and each == spans[-1][1] + 1:
            spans[-1][1] = each
        else:
            spans.append([each, each])
    return ",".join([*(str(a) if a == b else f"{a}-{b}" for a, b in spans), *names])
