"""Makes a network that a module of an installed package has a factory for."""

from __future__ import annotations

import importlib
from pathlib import Path

from torch import nn

from bird_backend.sources.calling import Factory, make_network

__all__ = ["build"]


def build(module: str, path: Path, factory: str, classes: int, image_size: int) -> nn.Module:
    """The network; whatever is wrong with module, factory or network is an `InputError` that says where."""
    return make_network(
        Factory(load=lambda: importlib.import_module(module), file=path, name=factory), classes, image_size
    )
