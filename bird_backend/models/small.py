"""Networks for small images that a CPU trains in seconds, written in torch alone so that a run starts at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, scaled_dot_product_attention

from bird_backend.models.stems import require_patches

__all__ = ["AttentionHeads", "NarrowResNet", "SmallCNN", "TinyViT"]


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _global_mean() -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


class ResidualBlock(nn.Module):
    """Two convolutions and a way around them (He 2016): (B, C, H, W) -> (B, C', H/stride, W/stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, outputs, stride)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = _conv(outputs, outputs)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = relu(self.norm1(self.conv1(x)), inplace=True)
        return relu(self.norm2(self.conv2(inner)) + self.shortcut(x), inplace=True)


class NarrowResNet(nn.Module):
    """A ResNet-8 of widths 16-32-64 behind a stride-2 stem, so that its maps are 16×16, 8×8 and 4×4 at 32 pixels."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 16, stride=2), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.block1 = ResidualBlock(16, 16, stride=1)
        self.block2 = ResidualBlock(16, 32, stride=2)
        self.block3 = ResidualBlock(32, 64, stride=2)
        self.pool = _global_mean()
        self.classifier = nn.Linear(64, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(self.stem(images))))
        logits: Tensor = self.classifier(self.pool(x))
        return logits


class SmallCNN(nn.Module):
    """Four plain convolutions, each halving the map: the simplest network that does well on small images."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = self._stage(3, 16)
        self.block1 = self._stage(16, 32)
        self.block2 = self._stage(32, 64)
        self.block3 = self._stage(64, 64)
        self.pool = _global_mean()
        self.classifier = nn.Linear(64, classes)

    @staticmethod
    def _stage(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(_conv(inputs, outputs, stride=2), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

    def forward(self, images: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(self.stem(images))))
        logits: Tensor = self.classifier(self.pool(x))
        return logits


class PatchTokens(nn.Module):
    """Cuts an image into 8×8 patches and gives each its place: (B, 3, S, S) -> (B, 64, width)."""

    def __init__(self, width: int, image_size: int) -> None:
        super().__init__()
        patch = image_size // 8
        self.project = nn.Conv2d(3, width, patch, stride=patch)
        self.position = nn.Parameter(torch.empty(1, 64, width).normal_(std=0.02))

    def forward(self, images: Tensor) -> Tensor:
        tokens: Tensor = self.project(images).flatten(2).transpose(1, 2)
        return tokens + self.position


class AttentionHeads(nn.Module):
    """Self-attention by plain modules: torch's own layer has a fast path in eval mode that skips hooks."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        q, k, v = self.mix(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, N, D)
        mixed = scaled_dot_product_attention(q, k, v)
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result


class EncoderBlock(nn.Module):
    """A pre-norm transformer layer (Dosovitskiy 2021): (B, N, width) -> (B, N, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = AttentionHeads(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens))
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


class TinyViT(nn.Module):
    """A vision transformer of four layers, 64 wide, that classifies the mean of its 64 tokens."""

    def __init__(self, classes: int, image_size: int) -> None:
        super().__init__()
        require_patches("vit-tiny", image_size)
        self.stem = PatchTokens(width=64, image_size=image_size)
        self.block1 = EncoderBlock(64, heads=4)
        self.block2 = EncoderBlock(64, heads=4)
        self.block3 = EncoderBlock(64, heads=4)
        self.block4 = EncoderBlock(64, heads=4)
        self.norm = nn.LayerNorm(64)
        self.classifier = nn.Linear(64, classes)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.block4(self.block3(self.block2(self.block1(self.stem(images)))))
        logits: Tensor = self.classifier(self.norm(tokens).mean(1))
        return logits
