"""Every network by name: how it is built, which of its layers can be aligned, and where its classifier sits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

import torch
from torch import nn

from bird_backend.catalog import LayerFacts
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models import small, vision
from bird_backend.models.discovery import declare_layouts, discover
from bird_backend.models.numberless import without_numbers
from bird_backend.models.stems import SMALL_IMAGE
from bird_backend.sources import source_of

__all__ = ["ARCHITECTURES", "Architecture", "alignable_layers", "build_model", "find_architecture", "layers_of"]


_ANY_CLASSES, _MOST_WORDS = 10, 200
_REFUSALS = (RuntimeError, NotImplementedError, ValueError, AssertionError, TypeError, IndexError)
"""What a network raises where it can't take an image of some size."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network of the catalogue. `build(classes, image_size)` draws its weights from torch's global generator."""

    name: str
    title: str
    caption: str
    family: str
    small: bool = False
    build: Callable[[int, int], nn.Module]
    layers: tuple[str, ...]
    """Module paths that can be aligned, from input to output."""
    classifier: str
    """Module path of the last linear layer: as many rows as classes."""
    same_pooled: Mapping[str, str] = field(default_factory=dict)
    """Layers that are the means of an earlier one's maps, so that with mean pooling both are the same."""


def build_model(name: str, *, classes: int, seed: int, image_size: int = 32) -> nn.Module:
    """A network on the CPU, in training mode; its weights depend on `seed` alone and leave torch's own generator be.

    `name` is the catalogue's or `SOURCE:NAME`. Below 64 pixels it has a stem for small images, from there on its own;
    one that can't take images of `image_size` × `image_size` is an `InputError` that says which it can.
    """
    if not 16 <= image_size <= 1024 or (image_size < SMALL_IMAGE and image_size % 8):
        raise InputError(f"Images have from 16 to 1024 pixels a side, in steps of 8 below 64, not {image_size}.")
    source, rest = source_of(name)
    if source is not None:
        source.require(rest)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        # Not torch.manual_seed, which would also seed every accelerator.
        torch.default_generator.manual_seed(seed)
        if source is None:
            return find_architecture(name).build(classes, image_size)
        model = source.build(rest, classes, image_size)
    if not source.own_code:
        declare_layouts(model, layers_of(name, image_size))
    return model


@lru_cache(maxsize=64)
def layers_of(name: str, image_size: int) -> tuple[LayerFacts, ...]:
    """Every layer of a network by its source, traced without its numbers; not for networks of one's own code."""
    source, rest = source_of(name)
    if source is None or source.own_code:
        raise ValueError(f"{name} can't be traced without its numbers")
    with contextlib.suppress(InputError, *_REFUSALS), without_numbers():
        return discover(source.build(rest, _ANY_CLASSES, image_size).to("meta"), image_size)
    try:  # some read their numbers as they are made, or run
        with torch.random.fork_rng(devices=[]):
            return discover(source.build(rest, _ANY_CLASSES, image_size), image_size)
    except _REFUSALS as error:
        said = str(error).split("\n")[0][:_MOST_WORDS]
        raise InputError(f"{name} can't take images of {image_size}×{image_size} pixels ({said}).") from error


def alignable_layers(name: str) -> tuple[str, ...]:
    """The module paths of network `name` that can be aligned, from input to output."""
    return find_architecture(name).layers


def find_architecture(name: str) -> Architecture:
    """The registry's entry; an unknown name is an `UnknownNameError` with the closest valid ones."""
    if name not in ARCHITECTURES:
        raise UnknownNameError("model", name, ARCHITECTURES)
    return ARCHITECTURES[name]


def _of_any_size(network: Callable[[int], nn.Module]) -> Callable[[int, int], nn.Module]:
    """One whose parameters are the same whatever the image size."""
    return lambda classes, _image_size: network(classes)


def _resnet(depth: int, blocks: tuple[int, ...], caption: str) -> Architecture:
    inner = [f"layer{stage}.{block}" for stage, count in enumerate(blocks, 1) for block in range(count)]
    return Architecture(
        name=f"resnet{depth}",
        title=f"ResNet-{depth}",
        caption=caption,
        family="ResNet",
        build=partial(vision.resnet, depth),
        layers=("conv1", *inner, "avgpool"),
        classifier="fc",
        same_pooled={"avgpool": inner[-1]},
    )


def _densenet(depth: int, caption: str) -> Architecture:
    inner = [f"features.{part}{stage}" for stage in (1, 2, 3) for part in ("denseblock", "transition")]
    return Architecture(
        name=f"densenet{depth}",
        title=f"DenseNet-{depth}",
        caption=caption,
        family="DenseNet",
        build=partial(vision.densenet, depth),
        layers=("features.conv0", *inner, "features.denseblock4", "features.norm5"),
        classifier="classifier",
    )


_SMALL = (
    Architecture(
        name="resnet-narrow",
        title="Narrow ResNet",
        caption="A residual network slim enough to train on a laptop while you watch.",
        family="ResNet",
        small=True,
        build=_of_any_size(small.NarrowResNet),
        layers=("stem", "block1", "block2", "block3", "pool"),
        classifier="classifier",
        same_pooled={"pool": "block3"},
    ),
    Architecture(
        name="cnn-small",
        title="Small CNN",
        caption="Four plain convolutions in a row, the simplest network here.",
        family="CNN",
        small=True,
        build=_of_any_size(small.SmallCNN),
        layers=("stem", "block1", "block2", "block3", "pool"),
        classifier="classifier",
        same_pooled={"pool": "block3"},
    ),
    Architecture(
        name="vit-tiny",
        title="Tiny ViT",
        caption="A transformer that reads the image as 64 patches, with four layers.",
        family="ViT",
        small=True,
        build=small.TinyViT,
        layers=("stem", "block1", "block2", "block3", "block4", "norm"),
        classifier="classifier",
    ),
)

_TORCHVISION = (
    Architecture(
        name="mobilenetv2",
        title="MobileNetV2",
        caption="A light network made for phones, and the paper's small teacher.",
        family="MobileNet",
        build=vision.mobilenetv2,
        layers=tuple(f"features.{index}" for index in range(19)),
        classifier="classifier.1",
    ),
    _resnet(18, (2, 2, 2, 2), "The usual first choice: eight residual blocks."),
    _resnet(34, (3, 4, 6, 3), "ResNet-18's plan with sixteen blocks."),
    _resnet(50, (3, 4, 6, 3), "Sixteen blocks of three convolutions each, four times as wide at the end."),
    _resnet(101, (3, 4, 23, 3), "ResNet-50 with a much deeper third stage."),
    _resnet(152, (3, 8, 36, 3), "The deepest ResNet here: fifty blocks."),
    _densenet(121, "Every layer sees the outputs of all the layers before it in its block."),
    _densenet(169, "DenseNet-121 with longer late blocks; the student in the paper's main table."),
    _densenet(201, "The deepest DenseNet here."),
    Architecture(
        name="vit",
        title="ViT",
        caption="A small vision transformer: 64 patches, six layers, no convolutions after the first.",
        family="ViT",
        build=vision.vit,
        layers=("conv_proj", *(f"encoder.layers.encoder_layer_{index}" for index in range(6)), "encoder.ln"),
        classifier="heads.head",
    ),
    Architecture(
        name="alexnet",
        title="AlexNet",
        caption="The network of 2012 that began it: five convolutions and three dense layers.",
        family="AlexNet",
        build=vision.alexnet,
        layers=("features.2", "features.5", "features.7", "features.9", "features.12", "classifier.2", "classifier.5"),
        classifier="classifier.6",
    ),
)

ARCHITECTURES: Mapping[str, Architecture] = {entry.name: entry for entry in (*_SMALL, *_TORCHVISION)}
