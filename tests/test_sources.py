"""Networks that a spec names by their source: what names can be, and that torchvision's fit any images and classes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from bird_backend import catalog
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models import build_model
from bird_backend.models.numberless import without_numbers
from bird_backend.sources import check_network, fingerprint, title_of_network
from bird_backend.specs import ModelRef
from tests.test_models import state_bytes


def shapes_of(name: str, image_size: int) -> tuple[nn.Module, dict[str, torch.Size]]:
    """The network on the meta device, and what came into each convolution and linear layer."""
    with without_numbers():
        model = build_model(name, classes=7, seed=0, image_size=image_size)
    model = model.to("meta").eval()
    seen: dict[str, torch.Size] = {}

    def note(path: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _module, _inputs, output: seen.update({path: output.shape}))

    for path, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            note(path, module)
    assert model(torch.empty(2, 3, image_size, image_size, device="meta")).shape == (2, 7)
    return model, seen


def test_the_catalogue_lists_the_classifiers_that_torchvision_has() -> None:
    assert list(catalog.TORCHVISION) == models.list_models(module=models)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torchvision:resnet81", r"Unknown network of torchvision 'resnet81': did you mean resnet18"),
        ("torchvisoin:resnet18", r"Unknown source of networks 'torchvisoin': did you mean torchvision"),
        ("convnext_tiny", r"Unknown model 'convnext_tiny': did you mean torchvision:convnext_tiny"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_closest(name: str, says: str) -> None:
    with pytest.raises(UnknownNameError, match=says):
        check_network(name)


def test_a_name_says_what_a_person_calls_it() -> None:
    assert title_of_network("resnet18") == "ResNet-18"
    assert ModelRef(model="torchvision:swin_t").title == "random Swin-T"
    assert fingerprint("torchvision:swin_t").startswith("torchvision 0.")
    assert fingerprint("resnet18") == ""


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_below_64_pixels_those_of_the_catalogue_are_torchvisions_with_the_small_stem(name: str) -> None:
    ours = build_model(name.replace("_", ""), classes=3, seed=4, image_size=48)
    theirs = build_model(f"torchvision:{name}", classes=3, seed=4, image_size=48)
    assert state_bytes(ours) == state_bytes(theirs)
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize(
    ("name", "last", "side"),
    [
        ("resnext50_32x4d", "layer4.2.conv3", 4),
        ("efficientnet_b0", "features.8.0", 4),
        ("regnet_y_400mf", "trunk_output.block4.block4-0.f.c.0", 4),
        ("shufflenet_v2_x0_5", "conv5.0", 4),
        ("mnasnet0_5", "layers.14", 4),
        ("googlenet", "inception5b.branch1.conv", 4),
        ("inception_v3", "Mixed_7c.branch1x1.conv", 5),
        ("squeezenet1_0", "classifier.1", 8),
        ("convnext_tiny", "features.7.2.block.0", 2),
        ("vgg11_bn", "features.25", 2),
    ],
)
def test_the_small_stem_leaves_a_map_to_look_at(name: str, last: str, side: int) -> None:
    _, seen = shapes_of(f"torchvision:{name}", 32)
    assert seen[last][-2:] == (side, side)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenetv2", "alexnet", "vit", "vit-tiny", "cnn-small"])
def test_from_64_pixels_a_network_has_its_own_stem(name: str) -> None:
    for size in (64, 224):
        model, _ = shapes_of(name, size)
    theirs = {"mobilenetv2": "mobilenet_v2"}.get(name, name)
    if theirs in catalog.TORCHVISION:
        own = models.get_model(theirs, weights=None, num_classes=7).state_dict()
        assert {key: tensor.shape for key, tensor in model.state_dict().items()} == {
            key: tensor.shape for key, tensor in own.items()
        }


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("torchvision:vgg11", 24, "takes 32 pixels and more, not 24"),
        ("torchvision:vit_b_16", 72, "takes 64, 80 and so on, or less than 64, not 72"),
        ("torchvision:vit_h_14", 64, "takes 112, 168 and so on"),
        ("torchvision:maxvit_t", 40, "takes 32, 48 and multiples of 32, not 40"),
        ("resnet18", 31, "from 16 to 1024 pixels a side, in steps of 8 below 64, not 31"),
        ("resnet18", 1032, "from 16 to 1024"),
        ("vit", 100, "takes multiples of 8, not 100"),
        ("vit-tiny", 100, "takes multiples of 8, not 100"),
    ],
)
def test_a_size_that_a_network_cannot_take_is_a_sentence(name: str, size: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        build_model(name, classes=2, seed=0, image_size=size)
