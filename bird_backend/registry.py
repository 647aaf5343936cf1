"""Registries whose entries are found rather than listed: whoever adds a method, a run kind or a figure adds a file.

Each entry is declared under the name `DECLARES` in the `__init__` of a folder of its own, where torch stays in a file
beside it, or where nothing needs torch in a file of its own. What there is is read once, when somebody first asks.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from bird_backend.errors import UnknownNameError

__all__ = ["Declared", "Registry"]


class Declared(Protocol):
    """What every entry has: the name a spec uses, and where it stands in lists (lower first, then by name)."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> int: ...


T = TypeVar("T", bound=Declared)


class Registry(Mapping[str, T]):
    """Everything of one kind by name, in the order of `place`.

    `what` is how an error calls an entry ("method"); `package` is the folder, as it is imported, whose folders may have
    `DECLARES`: one entry, or a tuple of them where some belong together. With `files`, its files may too.
    """

    def __init__(self, what: str, package: str, *, files: bool = False) -> None:
        self._what = what
        self._package = package
        self._files = files
        self._entries: dict[str, T] | None = None

    def find(self, name: str) -> T:
        """The entry of that name; an unknown one is an `UnknownNameError` with the closest."""
        if name not in self._read():
            raise UnknownNameError(self._what, name, self._read())
        return self._read()[name]

    def forget(self) -> None:
        """Read the folder again when next asked: for those who have put a file there since."""
        self._entries = None

    def __getitem__(self, name: str) -> T:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, T]:
        if self._entries is None:
            package = importlib.import_module(self._package)
            found: list[T] = []
            for module in pkgutil.iter_modules(package.__path__, f"{self._package}."):
                if not (module.ispkg or self._files):
                    continue  # it may need torch, which who only asks for names must not load
                declared = getattr(importlib.import_module(module.name), "DECLARES", ())
                found += declared if isinstance(declared, tuple) else (declared,)
            entries = {entry.name: entry for entry in sorted(found, key=lambda entry: (entry.place, entry.name))}
            if len(entries) < len(found):
                raise ValueError(f"{self._package} declares a {self._what} twice")
            self._entries = entries
        return self._entries
