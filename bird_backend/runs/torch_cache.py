"""Weights that torch downloaded on this machine, such as torchvision's: found by their file names, torch-free."""

from __future__ import annotations

import os
from pathlib import Path

from bird_backend import settings

__all__ = ["find_cached", "list_cached"]

_SUFFIXES = (".pth", ".pt", ".safetensors")


def list_cached() -> list[Path]:
    """The weights files in torch's cache, by name; none where there is no cache."""
    try:
        found = [path for path in _folder().iterdir() if path.suffix in _SUFFIXES and path.is_file()]
    except OSError:
        return []
    return sorted(found)


def find_cached(name: str) -> Path | None:
    """The file of that name in torch's cache, such as resnet50-0676ba61.pth."""
    return next((path for path in list_cached() if path.name == name), None)


def _folder() -> Path:
    """Where `torch.hub` keeps what it downloads, by the same variables."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return settings.expanded(os.environ.get("TORCH_HOME") or f"{cache}/torch") / "hub" / "checkpoints"
