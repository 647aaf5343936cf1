"""torchvision's classifiers at any image size: their own stem from 64 pixels on, a small one below."""

from __future__ import annotations

from functools import lru_cache
from math import lcm
from typing import Any

from torch import nn

from bird_backend.errors import InputError
from bird_backend.models import vision
from bird_backend.models.stems import SMALL_IMAGE, Change, change_stem, plan_stem

__all__ = ["build"]

_INCEPTION_LEAST = 75
"""Below this many pixels nothing is left of an image before its last block."""


def build(name: str, classes: int, image_size: int) -> nn.Module:
    """The network; an image size that it can't take is an `InputError` that says which it can."""
    family = name.partition("_")[0].rstrip("0123456789")
    small = image_size < SMALL_IMAGE
    if family == "alexnet":
        return vision.alexnet(classes, image_size)
    if family == "vit":
        return _vit(name, classes, image_size)
    if family == "maxvit":
        return _maxvit(name, classes, image_size)
    model = _plain(name, num_classes=classes)
    if family == "vgg":
        if small:
            _shrink_vgg(name, model, image_size)
    elif small or (family == "inception" and image_size < _INCEPTION_LEAST):
        change_stem(model, _plan(name))
    return model


def _plain(name: str, **settings: Any) -> nn.Module:
    from torchvision.models import get_model  # noqa: PLC0415 - slow to import

    if name in ("googlenet", "inception_v3"):
        settings |= {"aux_logits": False, "init_weights": True}
    model: nn.Module = get_model(name, weights=None, **settings)
    return model


@lru_cache(maxsize=128)
def _plan(name: str) -> tuple[Change, ...]:
    return plan_stem(lambda: _plain(name), halvings=3 if name == "inception_v3" else 2)


def _shrink_vgg(name: str, model: nn.Module, image_size: int) -> None:
    """Its five poolings are the network; what goes is the blowing up of the last map, if small, to 7×7."""
    if image_size < 32:
        raise InputError(f"{name} halves an image five times, so it takes 32 pixels and more, not {image_size}.")
    classifier = model.get_submodule("classifier")
    first = classifier.get_submodule("0")
    assert isinstance(first, nn.Linear)  # noqa: S101 - for the type
    model.register_module("avgpool", nn.Identity())
    fitting = nn.Linear(512 * (image_size // 32) ** 2, first.out_features)
    nn.init.normal_(fitting.weight, 0, 0.01)
    nn.init.zeros_(fitting.bias)
    classifier.register_module("0", fitting)


def _vit(name: str, classes: int, image_size: int) -> nn.Module:
    """Its own patches from 64 pixels on; below, patches of an eighth of the image, so that it reads 64 of them."""
    own = int(name.rpartition("_")[2])
    if image_size >= SMALL_IMAGE:
        if image_size % own:
            unit = lcm(own, 8)  # an image size is a multiple of 8
            first = -(-SMALL_IMAGE // unit) * unit
            raise InputError(
                f"{name} cuts an image into patches of {own}×{own}, so it takes {first}, {first + unit} and so on, or"
                f" less than {SMALL_IMAGE}, not {image_size}."
            )
        return _plain(name, num_classes=classes, image_size=image_size)
    from torchvision.models import VisionTransformer  # noqa: PLC0415 - slow to import

    model: nn.Module = VisionTransformer(
        image_size=image_size, patch_size=image_size // 8, num_classes=classes, **_VIT[name.split("_")[1]]
    )
    return model


_VIT = {
    "b": {"num_layers": 12, "num_heads": 12, "hidden_dim": 768, "mlp_dim": 3072},
    "l": {"num_layers": 24, "num_heads": 16, "hidden_dim": 1024, "mlp_dim": 4096},
    "h": {"num_layers": 32, "num_heads": 16, "hidden_dim": 1280, "mlp_dim": 5120},
}


def _maxvit(name: str, classes: int, image_size: int) -> nn.Module:
    """Its last map is parted once, 7×7 at 224 pixels; below 64 the stem steps by one, which doubles the maps."""
    small = image_size < SMALL_IMAGE
    unit = 16 if small else 32
    if image_size % unit or image_size < 32:
        raise InputError(
            f"{name} halves an image five times and parts what is left, so it takes 32, 48 and multiples of 32, not"
            f" {image_size}."
        )
    last = image_size // unit
    partition = max(size for size in range(1, 9) if last % size == 0)
    side = 2 * image_size if small else image_size
    from torchvision.models import MaxVit  # noqa: PLC0415 - slow to import

    model: nn.Module = MaxVit(
        input_size=(side, side),
        stem_channels=64,
        partition_size=partition,
        block_channels=[64, 128, 256, 512],
        block_layers=[2, 2, 5, 2],
        head_dim=32,
        stochastic_depth_prob=0.2,
        num_classes=classes,
    )
    if small:
        stem = model.get_submodule("stem.0.0")
        assert isinstance(stem, nn.Conv2d)  # noqa: S101 - for the type
        stem.stride = (1, 1)
    return model
