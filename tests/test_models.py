"""The contract every network of the registry keeps, on tiny CPU input, and the catalogue held against the networks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from bird_backend import catalog
from bird_backend.activations import capture_activations, pool
from bird_backend.errors import UnknownNameError
from bird_backend.models import alignable_layers, build_model, profile, write_catalog
from bird_backend.models.registry import ARCHITECTURES

CATALOG = catalog.CATALOG_FILE
SMALL = [name for name, entry in ARCHITECTURES.items() if entry.small]
ONE_OF_EACH_FAMILY = [*SMALL, "mobilenetv2", "resnet18", "densenet121", "vit", "alexnet"]


class Network(NamedTuple):
    name: str
    model: nn.Module
    images: Tensor


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    yield Network(request.param, build_model(request.param, classes=10, seed=0).eval(), images)


def state_bytes(model: nn.Module) -> dict[str, bytes]:
    return {name: tensor.detach().numpy().tobytes() for name, tensor in model.state_dict().items()}


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_every_layer_has_the_catalogued_shape_and_nothing_is_left_behind(network: Network) -> None:
    name, model, images = network
    before = state_bytes(model)
    with torch.no_grad():
        plain = model(images)
        with capture_activations(model, alignable_layers(name), stop_early=False) as captured:
            logits = model(images)
    assert logits.shape == (2, 10)
    assert torch.equal(logits, plain)
    facts = catalog.find_model(name).layers
    assert {layer: tuple(tensor.shape) for layer, tensor in captured.items()} == {
        layer.name: (2, *layer.shape) for layer in facts
    }
    for tensor in captured.values():
        assert pool(tensor).shape[0] == 2 and pool(tensor).ndim == 2
        assert tensor.isfinite().all()
    assert state_bytes(model) == before
    assert hooks(model) == 0


def test_layers_are_listed_in_the_order_they_run_and_stopping_runs_no_later_module(network: Network) -> None:
    name, model, images = network
    events: list[tuple[str, str]] = []
    handles = []
    for path, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda *_, path=path: events.append(("start", path))))
        handles.append(module.register_forward_hook(lambda *_, path=path: events.append(("end", path))))
    try:
        with torch.no_grad():
            model(images)
            full = events.copy()
            layers = alignable_layers(name)
            ends = [full.index(("end", layer)) for layer in layers]
            assert ends == sorted(ends)

            middle = layers[len(layers) // 2]
            events.clear()
            with capture_activations(model, [middle]) as captured:
                model(images)
    finally:
        for handle in handles:
            handle.remove()
    upto = full[: full.index(("end", middle)) + 1]
    assert [event for event in events if event[0] == "start"] == [event for event in upto if event[0] == "start"]
    assert list(captured) == [middle]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_that_mean_pooling_makes_the_same_are_named(name: str) -> None:
    # In training, where a norm takes the batch's own statistics rather than being the identity that it was drawn as.
    model = build_model(name, classes=10, seed=0).train()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), capture_activations(model, alignable_layers(name), stop_early=False) as captured:
        model(images)
    means = {layer: pool(tensor) for layer, tensor in captured.items()}
    same = {
        later: earlier
        for at, later in enumerate(means)
        for earlier in list(means)[:at]
        if means[later].shape == means[earlier].shape
        and torch.allclose(means[later], means[earlier], rtol=0, atol=1e-5 * float(means[later].abs().max()))
    }
    assert dict(catalog.find_model(name).same_pooled) == same


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_catalogue_is_what_measuring_again_gives(name: str) -> None:
    entries = {entry["name"]: entry for entry in json.loads(CATALOG.read_text("utf-8"))["models"]}
    assert profile(name) == entries[name]


def test_the_catalogue_names_the_registry_small_first(tmp_path: Path) -> None:
    assert list(catalog.models()) == list(ARCHITECTURES)
    assert [facts.small for facts in catalog.models().values()] == sorted(
        (facts.small for facts in catalog.models().values()), reverse=True
    )
    write_catalog(tmp_path / "catalog.json")
    assert (tmp_path / "catalog.json").read_bytes() == CATALOG.read_bytes()


def test_multiply_adds_by_hand() -> None:
    # Maps of 16×16, 16×16, 8×8 and 4×4 pixels; the weights of each convolution are used once a pixel.
    stem, block1 = 27 * 16 * 256, 2 * 144 * 16 * 256
    block2 = (144 * 32 + 288 * 32 + 16 * 32) * 64
    block3 = (288 * 64 + 576 * 64 + 32 * 64) * 16
    assert catalog.find_model("resnet-narrow").multiply_adds == stem + block1 + block2 + block3 + 64 * 10
    # 64 tokens 64 wide: queries, keys and values; scores and the weighted sum; the way out; two dense layers.
    tokens = width = 64
    attention = tokens * width * 3 * width + 2 * tokens * tokens * width + tokens * width * width
    layer = attention + 2 * tokens * width * 2 * width
    assert catalog.find_model("vit-tiny").multiply_adds == tokens * 48 * width + 4 * layer + width * 10


def test_a_parameter_count_by_hand() -> None:
    # Stem 3→16; per block: two 3×3 convolutions, a 1×1 shortcut where widths differ; two numbers a channel and norm.
    stem = 27 * 16 + 32
    block1 = 2 * (144 * 16 + 32)
    block2 = 144 * 32 + 288 * 32 + 16 * 32 + 3 * 64
    block3 = 288 * 64 + 576 * 64 + 32 * 64 + 3 * 128
    assert catalog.find_model("resnet-narrow").parameters == stem + block1 + block2 + block3 + 64 * 10 + 10


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_weights_depend_on_the_seed_alone(name: str) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = state_bytes(build_model(name, classes=3, seed=0))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    with torch.device("meta"):
        second = state_bytes(build_model(name, classes=3, seed=0))
    assert first == second
    assert first != state_bytes(build_model(name, classes=3, seed=1))


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_learn(name: str) -> None:
    model = build_model(name, classes=4, seed=0)
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 4
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_an_unknown_network_is_refused_with_the_closest_ones() -> None:
    for refuse in (lambda: build_model("resnet81", classes=2, seed=0), lambda: alignable_layers("resnet81")):
        with pytest.raises(UnknownNameError, match=r"Unknown model 'resnet81': did you mean .*resnet18"):
            refuse()


def test_a_small_network_is_built_without_torchvision() -> None:
    code = (
        "import sys; from bird_backend.models import build_model; build_model('resnet-narrow', classes=2, seed=0); "
        "assert not {'torchvision', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
