"""Networks of one's own code, torch-free: where they may come from, where they are, and when they change.

`BIRD_NETWORKS` says whose code may be executed. Unset: any file that can be read and any package that can be imported,
which is right for one's own machine. Empty: none. Else a list of folders and packages, separated as in PATH: a file has
to lie in one of the folders, a module in one of the packages or folders. Nothing here executes any of it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bird_backend import settings
from bird_backend.errors import InputError

__all__ = ["allow", "file_of", "fingerprint_of", "module_file", "siblings", "split"]


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
    if found is None or found.origin is None or not Path(found.origin).is_file():
        return None
    return Path(found.origin).resolve()


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


def fingerprint_of(path: Path | None) -> str:
    """Changes when a file's code does, or that of files beside it which it imports; `missing` where there is none."""
    if path is None:
        return "missing"
    digest = hashlib.sha256()
    for file in sorted({path, *(inner for found in siblings(path).values() for inner in _python_files(found))}):
        try:
            digest.update(str(file.relative_to(path.parent)).encode("utf-8", "surrogateescape"))
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except (OSError, ValueError):
            digest.update(b"missing")
    return digest.hexdigest()[:32]


def siblings(path: Path) -> dict[str, Path]:
    """Modules and packages beside a file that it imports, or that those import, by the name they go by there."""
    found: dict[str, Path] = {}
    waiting = [path]
    while waiting:
        for name in _imported(waiting.pop()):
            beside = next((file for file in _candidates(path.parent, name) if file.is_file()), None)
            if beside is not None and name not in found and name not in sys.stdlib_module_names:
                found[name] = beside
                waiting += _python_files(beside)
    return found


def _candidates(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.py", folder / name / "__init__.py"


def _python_files(path: Path) -> list[Path]:
    """The file, or all of a package's."""
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]


def _imported(path: Path) -> set[str]:
    """The first names of all absolute imports in a file; none of one that is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
