"""What a layer map keeps of every layer: Gram matrices, neighbours, and how many parameters lie behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bird_backend import catalog
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.evaluation.layer_geometry import layer_geometry, nearest
from bird_backend.evaluation.probes import Probes
from bird_backend.experiments import load_spec
from bird_backend.jobs import process
from bird_backend.models import build_model
from bird_backend.models.reach import parameters_reached
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.layer_geometry import GEOMETRY, read_layer_geometry
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import save_arrays

N = 30


@pytest.fixture
def features() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"one": torch.randn(N, 5, generator=generator), "two": 3 + torch.randn(N, 7, generator=generator)}


def probes() -> Probes:
    images = torch.randint(0, 256, (N, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(N) % 3
    return Probes(images=images, labels=labels, gram=labels[:12].argsort(stable=True), classes=("a", "b", "c"))


def test_the_nearest_are_those_of_the_largest_cosine(features: dict[str, torch.Tensor]) -> None:
    rows = features["two"].double().numpy()
    rows = rows - rows.mean(axis=0)
    for place, row in enumerate(nearest(features["two"], 4)):
        others = [other for other in range(N) if other != place]
        cosine = {o: rows[place] @ rows[o] / np.linalg.norm(rows[place]) / np.linalg.norm(rows[o]) for o in others}
        assert row.tolist() == sorted(others, key=lambda other: -cosine[other])[:4]


def test_neighbours_stay_when_features_are_moved_turned_and_scaled(features: dict[str, torch.Tensor]) -> None:
    turn, _ = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(2)))
    assert np.array_equal(nearest(features["one"]), nearest(7 * features["one"] @ turn + 11))


def test_what_is_kept_comes_back_and_its_grams_give_the_cka(features: dict[str, torch.Tensor], tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create({})
    assert read_layer_geometry(directory) is None
    kept = layer_geometry(features, {"own": features["one"]}, probes())
    save_arrays(directory.artifacts / GEOMETRY, kept.arrays())
    found = read_layer_geometry(directory)
    assert found is not None
    assert found.images.shape == (N, 32, 32, 3)
    rows = features["two"][found.gram].double().numpy()
    centred = rows - rows.mean(axis=0)
    gram = centred @ centred.T
    assert found.gram_of("teacher", "two") == pytest.approx(gram / np.linalg.norm(gram), abs=1e-3)
    assert np.array_equal(found.near("student", "own"), found.near("teacher", "one"))
    # Unit norms: the product with itself is a CKA of 1.
    assert (found.gram_of("teacher", "one") * found.gram_of("student", "own")).sum() == pytest.approx(1, abs=2e-3)
    with pytest.raises(UnknownNameError, match="measured layer of the teacher"):
        found.gram_of("teacher", "three")
    save_arrays(directory.artifacts / GEOMETRY, kept.arrays() | {"teacher_grams": kept.teacher_grams[:1]})
    with pytest.raises(InputError, match="it is damaged"):
        read_layer_geometry(directory)


def test_constant_features_have_no_geometry_and_no_failure() -> None:
    kept = layer_geometry({"flat": torch.ones(N, 3)}, {"flat": torch.zeros(N, 2)}, probes())
    assert not kept.teacher_grams.any() and kept.teacher_near.shape == (1, N, 8)


def test_a_layer_map_run_keeps_it(home: Path) -> None:
    network = {"model": "cnn-small"}
    spec = load_spec(
        {"kind": "analyze", "data": "digits", "teacher": network, "student": network, "images": 32, "device": "cpu"}
    )
    run = RunStore().create(spec)
    process.perform(run.id, device="cpu")
    found = read_layer_geometry(run.directory)
    assert found is not None
    assert [str(name) for name in found.teacher_layers] == [
        layer.name for layer in catalog.find_model("cnn-small").layers
    ]
    assert found.teacher_near.max() < 32


class Attends(nn.Module):
    """An attention whose projection is never called itself, a parameter of its own, and a part that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 3))
        self.first = nn.Linear(3, 4)
        self.attention = nn.MultiheadAttention(4, 1, batch_first=True)
        self.unused = nn.Linear(100, 100)
        self.last = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x + self.token)
        return self.last(self.attention(x, x, x)[0].mean(1))


def test_parameters_are_counted_as_they_are_used() -> None:
    model = Attends()
    with parameters_reached(model) as reached:
        model(torch.zeros(2, 5, 3))
    first = 3 + 3 * 4 + 4
    attention = 4 * 12 + 12 + 4 * 4 + 4
    assert reached["first"] == first
    assert reached["attention"] == first + attention
    assert reached["last"] == first + attention + 4 * 2 + 2
    assert not model._forward_hooks and not model._forward_pre_hooks


@pytest.mark.parametrize("name", ["resnet-narrow", "cnn-small", "vit-tiny"])
def test_up_to_the_last_layer_of_a_catalogued_network_is_all_but_its_head(name: str) -> None:
    facts = catalog.find_model(name)
    counts = [layer.parameters for layer in facts.layers]
    assert counts == sorted(counts) and counts[0] > 0
    head = list(build_model(name, classes=10, seed=0).modules())[-1]
    assert counts[-1] == facts.parameters - sum(part.numel() for part in head.parameters())
