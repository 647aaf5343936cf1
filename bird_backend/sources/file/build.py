"""Makes a network that a Python file has a factory for."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from torch import nn

from bird_backend.errors import InputError
from bird_backend.sources.calling import Factory, make_network
from bird_backend.sources.code_files import code_files

__all__ = ["build"]


def build(path: Path, factory: str, classes: int, image_size: int) -> nn.Module:
    """The network; whatever is wrong with file, factory or network is an `InputError` that says where."""
    with _beside(path):
        return make_network(Factory(load=lambda: _load(path), file=path, name=factory), classes, image_size)


def _load(path: Path) -> ModuleType:
    """The file as a module of its own, read anew each time: it may have been changed."""
    name = f"bird_network_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look for their module there
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[None]:
    """While inside, the file imports what lies beside it, as a script does; another file's `blocks` is another one."""
    names = code_files(path, path.parent).names

    def take_out() -> dict[str, ModuleType]:
        return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}

    hidden, wrote = take_out(), sys.dont_write_bytecode
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True  # their folder is theirs
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        with contextlib.suppress(ValueError):
            sys.path.remove(str(path.parent))
        take_out()
        sys.modules.update(hidden)
