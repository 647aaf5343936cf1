"""Layers are found by one traced forward pass, whatever order a network keeps its dimensions in."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from bird_backend import catalog
from bird_backend.activations import capture_activations, pool
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models import build_model
from bird_backend.models.anatomy import anatomy_of
from bird_backend.models.discovery import classifier_of, discover, trace
from bird_backend.models.registry import layers_of
from tests.test_models import hooks, state_bytes

FAMILIES = {
    "torchvision:swin_t": ("features.0", (96, 16, 16), "norm", (768, 2, 2), "head"),
    "torchvision:convnext_tiny": ("features.0", (96, 16, 16), "classifier.0", (768, 1, 1), "classifier.2"),
    "torchvision:vit_b_16": ("conv_proj", (768, 8, 8), "encoder.ln", (65, 768), "heads.head"),
    "torchvision:efficientnet_b0": ("features.0", (32, 32, 32), "features.8", (1280, 4, 4), "classifier.1"),
    "torchvision:regnet_y_800mf": ("stem", (32, 32, 32), "trunk_output.block4.block4-1", (784, 4, 4), "fc"),
    "torchvision:resnet18": ("relu", (64, 32, 32), "layer4.1", (512, 4, 4), "fc"),
    "torchvision:densenet121": ("features.relu0", (64, 32, 32), "features.norm5", (1024, 4, 4), "classifier"),
    "torchvision:squeezenet1_1": ("features.1", (64, 30, 30), "features.12", (512, 7, 7), "classifier.1"),
    "torchvision:maxvit_t": ("stem.0", (64, 32, 32), "classifier.4", (512,), "classifier.5"),
    "torchvision:vgg11": ("features.2", (64, 16, 16), "classifier.4", (4096,), "classifier.6"),
}
"""The first and the last block that stand for each network, with their shapes at 32 pixels, and its classifier."""
TIMM = {
    "resnet18": ("act1", (64, 32, 32), "layer4.1", (512, 4, 4), "fc"),
    "convnext_atto": ("stem", (40, 16, 16), "head.norm", (320, 1, 1), "head.fc"),
    "efficientnet_lite0": ("conv_stem", (32, 32, 32), "bn2", (1280, 4, 4), "classifier"),
    "vit_tiny_patch16_224": ("patch_embed", (64, 192), "norm", (65, 192), "head"),
    "swin_tiny_patch4_window7_224": ("patch_embed", (96, 16, 16), "norm", (768, 2, 2), "head.fc"),
    "mixer_s16_224": ("stem", (4, 512), "norm", (4, 512), "head"),
    "regnetx_002": ("stem", (32, 32, 32), "s4.b7", (368, 4, 4), "head.fc"),
    "mobilenetv3_small_050": ("conv_stem", (16, 32, 32), "act2", (1024, 1, 1), "classifier"),
    "poolformer_s12": ("stem", (64, 16, 16), "head.norm", (512, 1, 1), "head.fc"),
    "mobilevit_xxs": ("stem", (16, 32, 32), "final_conv", (320, 4, 4), "head.fc"),
    "xcit_nano_12_p16_224": ("patch_embed", (4, 128), "norm", (5, 128), "head"),
    "edgenext_xx_small": ("stem", (24, 16, 16), "head.norm", (168, 1, 1), "head.fc"),
}


class Odd(nn.Module):
    """Every order of dimensions, a layer that runs twice, a tuple, and an in-place activation."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, stride=4)
        self.twice = nn.ReLU(inplace=True)
        self.linear = nn.Linear(8, 12)
        self.attend = nn.MultiheadAttention(12, 2)
        self.lstm = nn.LSTM(12, 7, batch_first=True)
        self.along = nn.Conv1d(7, 6, 1)
        self.windows = Windows()
        self.head = nn.Linear(6, classes)
        self.unused = nn.Linear(1, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.linear(self.twice(self.conv(images)).permute(0, 2, 3, 1))  # (B, H, W, 12)
        tokens = self.windows(maps).flatten(1, 2).transpose(0, 1)  # (N, B, 12)
        attended, _ = self.attend(tokens, tokens, tokens)
        recurrent, _ = self.lstm(attended.transpose(0, 1))  # (B, N, 7)
        result: Tensor = self.head(self.twice(self.along(recurrent.transpose(1, 2)).mean(2)))
        return result


class Windows(nn.Module):
    """Puts windows of all images into one batch, and back."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        back: Tensor = self.inner(maps.flatten(1, 2).flatten(0, 1)[:, None])
        return back.view(maps.shape)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_blocks_of_a_network_stand_for_it(name: str) -> None:
    layers = layers_of(name, 32)
    blocks = [layer for layer in layers if layer.outline]
    found = (blocks[0].name, blocks[0].shape, blocks[-1].name, blocks[-1].shape, classifier_of(layers))
    assert found == FAMILIES[name]
    assert 6 <= len(blocks) <= 60


@pytest.mark.parametrize("name", catalog.TORCHVISION)
def test_every_classifier_of_torchvision_gives_its_layers(name: str) -> None:
    layers = layers_of(f"torchvision:{name}", 32)
    names = [layer.name for layer in layers]
    assert len(set(names)) == len(names) > 20
    assert classifier_of(layers) is not None
    assert all(layer.stage for layer in layers)
    blocks = [layer for layer in layers if layer.outline]
    assert 6 <= len(blocks) <= 90
    assert len(blocks[0].shape) == 3
    # A map is no larger than the image, and what is taken for its channels is no side of it.
    maps = [layer.shape for layer in layers if len(layer.shape) == 3 and "partition" not in layer.name]
    assert all(shape[1] == shape[2] <= 32 for shape in maps) or name == "maxvit_t"


@pytest.mark.parametrize("name", TIMM)
def test_timms_networks_give_theirs(name: str) -> None:
    layers = layers_of(f"timm:{name}", 32)
    blocks = [layer for layer in layers if layer.outline]
    found = (blocks[0].name, blocks[0].shape, blocks[-1].name, blocks[-1].shape, classifier_of(layers))
    assert found == TIMM[name]


def test_what_timm_has_not_is_a_sentence() -> None:
    with pytest.raises(UnknownNameError, match="Unknown network of timm 'resnet19': did you mean resnet1"):
        build_model("timm:resnet19", classes=2, seed=0)
    for name, size in (("coat_tiny", 72), ("maxvit_tiny_tf_224", 72)):
        with pytest.raises(InputError, match=f"{name} can't .* of {size}×{size} pixels"):
            build_model(f"timm:{name}", classes=2, seed=0, image_size=size)


def test_pooling_is_over_positions_whatever_the_layout() -> None:
    """Swin keeps channels last: of a map that says where it is, the mean over places must forget that."""
    model = build_model("torchvision:swin_t", classes=3, seed=0).eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    raw: dict[str, Tensor] = {}
    handle = model.get_submodule("features.1.1").register_forward_hook(lambda _m, _i, output: raw.update(out=output))
    with torch.no_grad(), capture_activations(model, ["features.1.1"]) as captured:
        model(images)
    handle.remove()
    assert raw["out"].shape == (2, 16, 16, 96)
    assert captured["features.1.1"].shape == (2, 96, 16, 16)
    torch.testing.assert_close(pool(captured["features.1.1"]), raw["out"].mean((1, 2)))


def test_a_copy_of_a_network_keeps_its_layouts() -> None:
    model = copy.deepcopy(build_model("torchvision:swin_t", classes=3, seed=0))
    with torch.no_grad(), capture_activations(model, ["features.3.0"]) as captured:
        model(torch.zeros(1, 3, 32, 32))
    assert captured["features.3.0"].shape == (1, 192, 8, 8)


def test_any_order_of_dimensions_is_told_and_the_network_left_as_it_was() -> None:
    model = Odd()
    model.twice.eval()
    before, state = [module.training for module in model.modules()], torch.get_rng_state()
    weights = state_bytes(model)
    layers = {layer.name: layer for layer in discover(model, 16)}
    assert {name: (layer.shape, layer.layout) for name, layer in layers.items()} == {
        "conv": ((8, 4, 4), "BCHW"),
        "linear": ((12, 4, 4), "BHWC"),
        "windows": ((12, 4, 4), "BHWC"),
        "attend": ((16, 12), "NBD"),
        "lstm": ((16, 7), "BND"),
        "along": ((16, 6), "BDN"),
        "twice": ((6,), "BD"),
        "head": ((5,), "BD"),
    }
    assert list(layers) == ["conv", "linear", "windows", "attend", "lstm", "along", "twice", "head"]
    assert [name for name, layer in layers.items() if layer.times > 1] == ["twice"]
    assert [name for name, layer in layers.items() if layer.classifier] == ["head"]
    assert [module.training for module in model.modules()] == before
    assert torch.equal(torch.get_rng_state(), state)
    assert state_bytes(model) == weights
    assert hooks(model) == 0


def test_the_meta_device_gives_the_same() -> None:
    assert discover(Odd(), 16) == discover(Odd().to("meta"), 16)


def test_the_head_is_linear_with_nothing_after_it() -> None:
    assert trace(Odd(), 16).head == "head"
    softened = nn.Sequential(Odd(), nn.Softmax(1))
    assert classifier_of(discover(softened, 16)) == "0.head"
    assert trace(softened, 16).head is None
    squeezed = build_model("torchvision:squeezenet1_1", classes=5, seed=0)
    anatomy = anatomy_of("torchvision:squeezenet1_1", squeezed, 32)
    with pytest.raises(InputError, match="The method LP-FT needs a network whose last layer is linear"):
        anatomy.require_head("The method LP-FT")
    with pytest.raises(UnknownNameError, match=r"Unknown layer of torchvision:squeezenet1_1 'features\.40'"):
        anatomy.find("features.40")
