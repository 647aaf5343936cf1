"""A network with pre-processing of its own sees each batch as it was trained to, and is otherwise what it was."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as vision

from bird_backend.datasets import normalise
from bird_backend.models import build_model, load_model, save_weights
from bird_backend.models.preprocessing import attach_preprocessing, preprocessing_of
from bird_backend.runs.provenance import Provenance
from bird_backend.specs import IMAGENET_MEAN, IMAGENET_STD, OURS, ModelRef, Preprocessing

IMAGENET = Preprocessing(mean=IMAGENET_MEAN, std=IMAGENET_STD)


class Seen(nn.Module):
    """Keeps what it was given."""

    def forward(self, images: Tensor) -> Tensor:
        self.images = images
        return images.mean((2, 3))


@pytest.fixture
def pixels() -> Tensor:
    return torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def provenance(**more: object) -> Provenance:
    base = {"model": "resnet18", "classes": ("a", "b", "c"), "data": "digits", "recipe": {}, "seed": 0}
    measured = {"clean_accuracy": None, "n_test": 0, "code_version": "0", "created": "2026", "role": "teacher"}
    return Provenance.model_validate(base | measured | more)


def test_it_sees_what_torchvisions_own_transform_gives(pixels: Tensor) -> None:
    network = Seen()
    attach_preprocessing(network, IMAGENET)
    network(normalise(pixels))
    expected = vision.normalize(pixels / 255, list(IMAGENET_MEAN), list(IMAGENET_STD))
    torch.testing.assert_close(network.images, expected, rtol=1e-5, atol=1e-5)


def test_it_sees_images_of_the_size_it_is_for(pixels: Tensor) -> None:
    network = Seen()
    attach_preprocessing(network, IMAGENET.model_copy(update={"size": 64}))
    network(normalise(pixels))
    larger = vision.resize(pixels / 255, [64, 64], antialias=True)
    expected = vision.normalize(larger, list(IMAGENET_MEAN), list(IMAGENET_STD))
    torch.testing.assert_close(network.images, expected, rtol=1e-4, atol=1e-4)


def test_gradients_reach_the_images_and_a_second_one_takes_the_place_of_the_first(pixels: Tensor) -> None:
    network = Seen()
    attach_preprocessing(network, IMAGENET)
    attach_preprocessing(network, Preprocessing(mean=(0, 0, 0), std=(1, 1, 1)))
    assert preprocessing_of(copy.deepcopy(network)) == Preprocessing(mean=(0, 0, 0), std=(1, 1, 1))
    images = normalise(pixels).requires_grad_()
    network(images)[:, 0].sum().backward()
    assert torch.equal(network.images, images * 0.25 + 0.5)
    assert images.grad is not None
    torch.testing.assert_close(images.grad[:, 0], torch.full((2, 32, 32), 0.25 / 1024))


def test_weights_bring_their_preprocessing_and_size_along(tmp_path: Path, pixels: Tensor) -> None:
    model = build_model("resnet18", classes=3, seed=0, image_size=64)
    path = tmp_path / "imagenet.safetensors"
    save_weights(path, model, provenance(image_size=64, preprocessing=IMAGENET))
    ref = ModelRef(model="resnet18", weights=str(path))
    loaded, made = load_model(ref, classes=None, seed=1, image_size=32)
    assert made is not None and made.preprocessing == IMAGENET
    assert preprocessing_of(loaded) == IMAGENET.model_copy(update={"size": 64})
    assert loaded.state_dict().keys() == model.state_dict().keys()
    larger = vision.resize(pixels / 255, [64, 64], antialias=True)
    with torch.no_grad():
        expected = model.eval()(vision.normalize(larger, list(IMAGENET_MEAN), list(IMAGENET_STD)))
        torch.testing.assert_close(loaded.eval()(normalise(pixels)), expected, rtol=1e-4, atol=1e-4)


def test_weights_of_ours_get_no_hook_at_their_own_size_and_see_other_sizes_shrunk(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    save_weights(path, build_model("resnet18", classes=3, seed=0), provenance())
    ref = ModelRef(model="resnet18", weights=str(path))
    assert not load_model(ref, classes=3, seed=0)[0]._forward_pre_hooks
    assert preprocessing_of(load_model(ref, classes=3, seed=0, image_size=64)[0]) == OURS.model_copy(
        update={"size": 32}
    )
