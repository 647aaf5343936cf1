"""Which files a network's code is in: the one that is named, and whatever it imports from where it lies.

Imports are read, never executed. What an installed package of someone else's holds is no part of it, but for a module
that is named in such a package, where the package's own files are.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["CodeFiles", "code_files"]

_MOST_FILES = 1000
_Stat = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class CodeFiles:
    """The files from which a network is made, and the names by which they import each other at the root."""

    root: Path
    files: tuple[Path, ...]
    names: frozenset[str]

    @property
    def fingerprint(self) -> str:
        """Changes when one of them does."""
        told = [(str(path.relative_to(self.root)), _digest(path, _stat(path))) for path in self.files]
        return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def code_files(path: Path, root: Path, *, package: str | None = None) -> CodeFiles:
    """Those reached from the file at `path` by relative imports, and by absolute ones that `root` has something for.

    Of a module in a package only that package's are, since beside it lies everything that is installed. After a
    thousand files it is not looked any further.
    """
    files, names, waiting = {path}, set[str](), [path]
    while waiting and len(files) < _MOST_FILES:
        file = waiting.pop()
        for level, module, name in _imports(file, _stat(file)):
            base = root if level == 0 else _above(file, level - 1)
            pieces = module.split(".") if module else []
            if level == 0 and (pieces[0] in sys.stdlib_module_names or pieces[0] != (package or pieces[0])):
                continue
            found = [*_files_of(base, pieces), *(_files_of(base, [*pieces, name]) if name else ())]
            if level == 0 and found:
                names.add(pieces[0])
            new = [each for each in dict.fromkeys(found) if each not in files and each.is_relative_to(root)]
            files.update(new)
            waiting += new
    return CodeFiles(root=root, files=tuple(sorted(files)), names=frozenset(names))


def _above(file: Path, levels: int) -> Path:
    folder = file.parent
    for _ in range(levels):
        folder = folder.parent
    return folder


def _files_of(base: Path, pieces: list[str]) -> Iterator[Path]:
    """What importing `pieces` below `base` executes: each package on the way, and the module itself."""
    folder = base
    for piece in pieces:
        for file in (folder / piece / "__init__.py", folder / f"{piece}.py"):
            if file.is_file():
                yield file
                break
        folder = folder / piece


def _stat(path: Path) -> _Stat:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=2048)
def _digest(path: Path, _: _Stat) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "missing"


@lru_cache(maxsize=2048)
def _imports(path: Path, _: _Stat) -> tuple[tuple[int, str, str], ...]:
    """Of each import its level, its module and a name taken from it; nothing of a file that is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ()
    found: list[tuple[int, str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.level, node.module or "", alias.name) for alias in node.names]
    return tuple(dict.fromkeys(found))
