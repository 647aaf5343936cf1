"""Networks as people write them, right and wrong, as text for a file; `make` is always the factory."""

from __future__ import annotations

from pathlib import Path

__all__ = ["GOOD", "name_of", "write_network"]

GOOD = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, classes, width=8):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, width, 3, stride=2, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU())
        self.head = nn.Linear(2 * width, classes)

    def forward(self, images):
        return self.head(self.second(self.first(images)).mean((2, 3)))


def make(classes):
    return Net(classes)
"""


def write_network(folder: Path, text: str = GOOD, name: str = "net.py") -> Path:
    """The text as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def name_of(path: Path, factory: str = "make") -> str:
    """As a spec names it."""
    return f"file:{path}:{factory}"
