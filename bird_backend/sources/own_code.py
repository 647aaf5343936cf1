"""Networks of one's own code, torch-free: where they may come from, and where they are.

`BIRD_NETWORKS` says whose code may be executed. Unset: any file that can be read and any package that can be imported,
which is right for one's own machine. Empty: none. Else a list of folders and packages, separated as in PATH: a file has
to lie in one of the folders, a module in one of the packages or folders. Nothing here executes any of it.
"""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bird_backend import settings
from bird_backend.errors import InputError

__all__ = ["allow", "file_of", "module_file", "split", "without_file"]


def split(name: str, form: str) -> tuple[str, str]:
    """`PLACE:FACTORY` in two; an `InputError` that shows the form where it is no such name."""
    place, _, factory = name.rpartition(":")
    if not place or not factory.isidentifier():
        raise InputError(f"A network of one's own is named {form}, with a function's name at the end, not {name!r}.")
    return place, factory


def file_of(place: str) -> Path:
    """The file at that path, resolved; an `InputError` where there is none, or one that may not be executed."""
    path = settings.found(place)
    if path is None:
        allow(settings.expanded(place), package=None)
        raise InputError(f"There is no file {place}, where the network should be.")
    allow(path, package=None)
    if not path.is_file():
        raise InputError(f"{place} is a folder; a network is in one .py file.")
    return path


def module_file(module: str) -> Path | None:
    """The file of a module that can be imported; none where there is no such module, or nothing to read.

    No package is executed for it, as `find_spec` would for a module inside one.
    """
    found = _find_module(module)
    if found is None or found.origin is None or not Path(found.origin).is_file():
        return None
    return Path(found.origin).resolve()


def without_file(module: str) -> str:
    """Why `module_file` has none of this module, in a sentence."""
    found = _find_module(module)
    if found is None:
        return f"There is no module {module} that Python finds here; is its package installed?"
    if found.origin in ("built-in", "frozen"):
        return f"The module {module} is built into Python: it has no file, and makes no networks."
    if found.submodule_search_locations is not None:
        return f"{module} is a folder of modules without code of its own; name the module in it that has the factory."
    return f"The code of the module {module} is in no file that can be read ({found.origin or 'nobody says where'})."


def _find_module(module: str) -> ModuleSpec | None:
    pieces = module.split(".")
    try:
        found: ModuleSpec | None = importlib.util.find_spec(pieces[0])
    except (ImportError, ValueError):
        return None
    for count in range(2, len(pieces) + 1):
        places = None if found is None else found.submodule_search_locations
        if places is None:
            return None
        found = PathFinder.find_spec(".".join(pieces[:count]), list(places))
    return found


def allow(path: Path, *, package: str | None) -> None:
    """An `InputError` where the owner has not allowed the code at `path`, a module of `package` where it is one."""
    allowed = settings.networks_allowed()
    if allowed is None:
        return
    if not allowed:
        raise InputError("Networks of one's own code are switched off here: BIRD_NETWORKS is empty.")
    for entry in allowed:
        if isinstance(entry, Path):
            if path.is_relative_to(entry):
                return
        elif package is not None and f"{package}.".startswith(f"{entry}."):
            return
    named = ", ".join(str(entry) for entry in allowed)
    raise InputError(f"{package or path} is in none of the places that BIRD_NETWORKS allows: {named}.")
