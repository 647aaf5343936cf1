"""torchvision's own networks, their stems changed for 32×32 images: less is thrown away before the first block.

torchvision is imported when one is built, for it takes over a second.
"""

from __future__ import annotations

from typing import cast

from torch import nn

__all__ = ["alexnet", "densenet", "mobilenetv2", "resnet", "vit"]


def _stem() -> nn.Conv2d:
    """3×3 at stride 1, where ImageNet networks have 7×7 at stride 2 and a max-pool."""
    conv = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def resnet(depth: int, classes: int) -> nn.Module:
    """ResNet (He 2016); its last map is 4×4."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = getattr(models, f"resnet{depth}")(weights=None, num_classes=classes)
    model.conv1 = _stem()
    model.maxpool = nn.Identity()
    return model


def densenet(depth: int, classes: int) -> nn.Module:
    """DenseNet (Huang 2017); its last map is 4×4."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = getattr(models, f"densenet{depth}")(weights=None, num_classes=classes)
    model.get_submodule("features").conv0 = _stem()
    model.get_submodule("features").pool0 = nn.Identity()
    return model


def mobilenetv2(classes: int) -> nn.Module:
    """MobileNetV2 (Sandler 2018), the stem and the second stage at stride 1; its last map is 4×4."""
    from torchvision import models  # noqa: PLC0415 - slow to import

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


def alexnet(classes: int) -> nn.Module:
    """AlexNet (Krizhevsky 2012), the first convolution 3×3 at stride 1; its last map, 3×3, is classified whole."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = models.alexnet(weights=None, num_classes=classes)
    features, classifier = model.get_submodule("features"), model.get_submodule("classifier")
    features.register_module("0", nn.Conv2d(3, 64, 3, padding=1))
    model.avgpool = nn.Identity()
    classifier.register_module("1", nn.Linear(256 * 3 * 3, 4096))
    return model


def vit(classes: int) -> nn.Module:
    """Vision Transformer (Dosovitskiy 2021) with 64 patches of 4×4, six layers of width 192."""
    from torchvision import models  # noqa: PLC0415 - slow to import

    model: nn.Module = models.VisionTransformer(
        image_size=32,
        patch_size=4,
        num_layers=6,
        num_heads=3,
        hidden_dim=192,
        mlp_dim=768,
        num_classes=classes,
    )
    return model
