"""A network of one's own: a small residual network for images of any size.

Trained by `train.py` beside it, in a loop of one's own. Any class or function that takes `classes` and returns an
`nn.Module` will do; its layers are named by their module paths, here `stem`, `stage1.block` and so on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Net", "build"]


class Block(nn.Module):
    """Two convolutions beside a path that leaves the input as it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.norm1(self.first(x)))
        return torch.relu(x + self.norm2(self.second(inner)))


class Stage(nn.Module):
    """Half the resolution and another width, then a block."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.block = Block(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.down(x))


class Net(nn.Module):
    """[B, 3, S, S] to [B, classes]."""

    def __init__(self, classes: int, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.stage1 = Stage(width, 2 * width)
        self.stage2 = Stage(2 * width, 4 * width)
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage2(self.stage1(self.stem(x)))
        return self.head(x.mean((2, 3)))


def build(classes: int) -> Net:
    """What `file:assets/examples/own/network.py:build` names."""
    return Net(classes)
