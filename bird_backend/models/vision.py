"""torchvision's own networks, below 64 pixels with stems that throw less away before the first block.

torchvision is imported when one is built, for it takes over a second.
"""

from __future__ import annotations

from typing import cast

from torch import nn

from bird_backend.models.stems import SMALL_IMAGE, require_patches, small_convolution

__all__ = ["alexnet", "densenet", "mobilenetv2", "resnet", "vit"]


def resnet(depth: int, classes: int, image_size: int) -> nn.Module:
    """ResNet (He 2016); its last map is 4×4 at 32 pixels."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = getattr(models, f"resnet{depth}")(weights=None, num_classes=classes)
    if image_size < SMALL_IMAGE:
        model.conv1 = small_convolution(3, 64)
        model.maxpool = nn.Identity()
    return model


def densenet(depth: int, classes: int, image_size: int) -> nn.Module:
    """DenseNet (Huang 2017); its last map is 4×4 at 32 pixels."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = getattr(models, f"densenet{depth}")(weights=None, num_classes=classes)
    if image_size < SMALL_IMAGE:
        model.get_submodule("features").conv0 = small_convolution(3, 64)
        model.get_submodule("features").pool0 = nn.Identity()
    return model


def mobilenetv2(classes: int, image_size: int) -> nn.Module:
    """MobileNetV2 (Sandler 2018); below 64 pixels with stem and second stage at stride 1, so 4×4 in the end at 32."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    if image_size >= SMALL_IMAGE:
        own: nn.Module = models.mobilenet_v2(weights=None, num_classes=classes)
        return own
    stages = [  # expansion, channels, blocks, stride of the first
        [1, 16, 1, 1],
        [6, 24, 2, 1],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ]
    model: nn.Module = models.mobilenet_v2(weights=None, num_classes=classes, inverted_residual_setting=stages)
    stem = cast(nn.Conv2d, model.get_submodule("features.0.0"))
    stem.stride = (1, 1)
    return model


def alexnet(classes: int, image_size: int) -> nn.Module:
    """AlexNet (Krizhevsky 2012); below 64 pixels with a first convolution of 3×3 at stride 1.

    Its last map, 3×3 at 32 pixels, is classified whole then, where that of larger images becomes 6×6 first.
    """
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = models.alexnet(weights=None, num_classes=classes)
    if image_size >= SMALL_IMAGE:
        return model
    features, classifier = model.get_submodule("features"), model.get_submodule("classifier")
    features.register_module("0", nn.Conv2d(3, 64, 3, padding=1))
    model.avgpool = nn.Identity()
    side = image_size
    for _ in range(3):
        side = (side - 3) // 2 + 1  # its poolings: 3×3 at stride 2
    classifier.register_module("1", nn.Linear(256 * side * side, 4096))
    return model


def vit(classes: int, image_size: int) -> nn.Module:
    """Vision Transformer (Dosovitskiy 2021) with 64 patches, 4×4 each at 32 pixels, six layers of width 192."""
    require_patches("vit", image_size)
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = models.VisionTransformer(
        image_size=image_size,
        patch_size=image_size // 8,
        num_layers=6,
        num_heads=3,
        hidden_dim=192,
        mlp_dim=768,
        num_classes=classes,
    )
    return model
