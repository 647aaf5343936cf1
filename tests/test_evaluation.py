"""Accuracy under corruption, probes, snapshots and layer maps against plain loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bird_backend.behaviours.trial import BATCH, batch_size
from bird_backend.corruptions.applying import corrupt
from bird_backend.datasets import Dataset, Split, normalise
from bird_backend.evaluation import (
    Snapshotter,
    answers,
    choose_probes,
    layer_features,
    measure_accuracy,
    measure_layer_map,
)
from bird_backend.experiments.arm import is_due
from bird_backend.models import build_model
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_examples, read_predictions
from bird_backend.runs.writing import RunWriter
from bird_backend.similarity import cka
from tests.trials import corrupting


def split(n: int = 60, classes: int = 3, seed: int = 0) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return Split(images=images, labels=torch.arange(n) % classes)


def dataset() -> Dataset:
    parts = [split(seed=seed) for seed in range(3)]
    return Dataset(name="x", classes=("a", "b", "c"), train=parts[0], validation=parts[1], test=parts[2])


class Fixed(nn.Module):
    """Says class 0 where the image is bright on average."""

    def forward(self, images: Tensor) -> Tensor:
        bright = images.mean((1, 2, 3))
        return torch.stack([bright, torch.zeros_like(bright), bright.new_full(bright.shape, -9)], 1)


def test_predictions_agree_with_a_loop_over_images() -> None:
    data, model = split(), Fixed()
    found = measure_accuracy({"m": model}, data, trial=corrupting(["contrast", "pixelate"], (2, 5))).predictions
    assert found.cells == (("clean", 0), ("contrast", 2), ("contrast", 5), ("pixelate", 2), ("pixelate", 5))
    assert found.labels.tolist() == data.labels.tolist()
    assert found.images.tolist() == list(range(60))
    generator = torch.Generator()
    for row, (name, severity) in enumerate(found.cells):
        for place, image in enumerate(data.images):
            spoiled = corrupt(image[None], name, severity, generator=generator) if severity else image[None]
            logits = model(normalise(spoiled))[0]
            assert found.predicted["m"][row, place] == int(logits.argmax())
            sure = float(logits.exp().max() / logits.exp().sum())
            assert found.confidence["m"][row, place] == pytest.approx(sure, abs=1e-3)


def test_models_see_the_same_noise_and_the_same_images_every_time() -> None:
    data, model = split(), Fixed()
    how = {"trial": corrupting(["gaussian_noise"], [5], seed=4), "limit": 20}
    once = measure_accuracy({"a": model, "b": model}, data, **how).predictions
    again = measure_accuracy({"c": model}, data, **how).predictions
    np.testing.assert_array_equal(once.confidence["a"], once.confidence["b"])
    np.testing.assert_array_equal(once.confidence["a"], again.confidence["c"])
    assert once.n == 20
    np.testing.assert_array_equal(once.images, again.images)
    assert (np.diff(once.images) > 0).all()
    np.testing.assert_array_equal(once.labels, data.labels.numpy()[once.images])
    other = measure_accuracy(
        {"a": model}, data, **(how | {"trial": corrupting(["gaussian_noise"], [5], seed=5)})
    ).predictions
    assert (other.confidence["a"] != once.confidence["a"]).any()


@pytest.mark.parametrize("name", ["resnet-narrow", "vit-tiny"])
def test_how_many_images_pass_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    data, model = split(), build_model(name, classes=3, seed=0)
    how = {"trial": corrupting(["gaussian_noise"], [3])}
    whole = measure_accuracy({"m": model}, data, **how).predictions
    monkeypatch.setitem(answers._LARGEST_BYTES, "cpu", 500_000)
    pieces = measure_accuracy({"m": model}, data, **how).predictions
    np.testing.assert_array_equal(whole.predicted["m"], pieces.predicted["m"])
    np.testing.assert_allclose(whole.confidence["m"], pieces.confidence["m"], atol=1e-3)


class Wide(nn.Module):
    """Puts out 4 MiB for an image, and notes how many images come at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(len(images))
        return images.new_zeros(len(images), 2**20)


def test_a_wide_network_is_asked_in_pieces() -> None:
    model = Wide()
    answered = answers.Respondent(model, split().images[:1]).answer(split().images)
    assert answered.shape == (2, 60)
    assert model.seen[0] == 1
    assert max(model.seen) * 4 * 2**20 <= answers._LARGEST_BYTES["cpu"]
    assert max(model.seen[1:]) - min(model.seen[1:]) <= 1
    assert sum(model.seen[1:]) == 60


def test_a_network_that_says_nan_is_sure_of_nothing() -> None:
    model = build_model("cnn-small", classes=3, seed=0)
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    found = measure_accuracy({"m": model}, split(), trial=corrupting())
    assert (found.predictions.confidence["m"] == 0).all()


def test_pictures_are_kept_of_what_the_networks_disagree_on() -> None:
    data = split(n=230)
    models = {"a": Fixed(), "b": build_model("cnn-small", classes=3, seed=0)}
    measured = measure_accuracy(
        models,
        data,
        trial=corrupting(["gaussian_noise", "contrast"], (1, 5), seed=3),
        classes=("x", "y", "z"),
    )
    found, kept = measured.predictions, measured.examples
    assert kept is not None
    assert kept.classes.tolist() == ["x", "y", "z"]
    assert len(kept.pool) == 200 and (np.diff(kept.pool) > 0).all()
    assert (kept.pool[0], kept.pool[-1]) == (0, 229)
    np.testing.assert_array_equal(kept.clean, data.images[kept.pool].permute(0, 2, 3, 1))
    assert kept.shown.shape == (5, 12) and kept.changed.shape == (5, 12, 32, 32, 3)
    for row, (name, severity) in enumerate(found.cells):
        right = [
            [found.predicted[model][row, column] == found.labels[column] for model in models] for column in kept.pool
        ]
        ranks = [0 if len(set(pair)) == 2 else 1 if not any(pair) else 2 for pair in right]
        shown = [ranks[place] for place in kept.shown[row]]
        assert shown == sorted(ranks)[:12]
        assert len(set(kept.shown[row].tolist())) == 12
        images = corrupting(seed=3).batch(data.images, (name, severity), 0)
        np.testing.assert_array_equal(kept.changed[row], images[kept.pool[kept.shown[row]]].permute(0, 2, 3, 1))
    few = measure_accuracy(models, data, trial=corrupting(), limit=5, classes=("x", "y", "z")).examples
    assert few is not None and few.pool.tolist() == [0, 1, 2, 3, 4] and few.shown.shape == (1, 5)


def test_measuring_leaves_a_model_as_it_was() -> None:
    model = build_model("resnet-narrow", classes=3, seed=0).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measure_accuracy({"m": model}, split(), trial=corrupting(["contrast"], (1,)))
    layer_features(model, split().images, ("block2",))
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_probes_are_balanced_fixed_and_from_validation() -> None:
    data = dataset()
    probes = choose_probes(data, embedding=30, gram=16)
    assert torch.equal(choose_probes(data, embedding=30, gram=16).images, probes.images)
    assert torch.bincount(probes.labels).tolist() == [10, 10, 10]
    gram_labels = probes.labels[probes.gram]
    assert torch.equal(gram_labels, gram_labels.sort().values)
    assert torch.bincount(gram_labels).max() - torch.bincount(gram_labels).min() <= 1
    validation = {image.numpy().tobytes() for image in data.validation.images}
    assert all(image.numpy().tobytes() in validation for image in probes.images)
    assert probes.arrays()["images"].shape == (30, 32, 32, 3)


def test_a_snapshot_of_the_teacher_itself_is_at_cka_one() -> None:
    probes = choose_probes(dataset(), embedding=40, gram=16)
    model = build_model("cnn-small", classes=3, seed=0).eval()
    guiding = layer_features(model, probes.images, ("block2",))["block2"]
    snapshotter = Snapshotter(probes, guiding, layer="block2", pooling="mean")
    drawn = snapshotter.draw(model)
    assert drawn is not None
    geometry, arrays = drawn
    assert geometry.cka == pytest.approx(1, abs=1e-5)
    assert abs(geometry.null) < 0.2
    assert geometry.n == 40
    assert arrays["gram"].shape == (16, 16)
    assert np.linalg.norm(arrays["gram"].astype(float)) == pytest.approx(1, abs=1e-2)
    assert arrays["pca"].shape == (40, 2)
    assert arrays["share"].sum(dtype=np.float64) == pytest.approx(geometry.cka, abs=1e-6)
    assert arrays["agreement"] == pytest.approx(np.ones(40), abs=1e-6)
    other = snapshotter.draw(build_model("cnn-small", classes=3, seed=1).eval())
    again = Snapshotter(probes, guiding, layer="block2", pooling="mean").draw(model)
    assert other is not None and again is not None
    np.testing.assert_array_equal(again[1]["pca"], arrays["pca"])
    assert not np.array_equal(other[1]["pca"], arrays["pca"])


def test_a_broken_or_huge_network_draws_nothing_rather_than_nonsense() -> None:
    probes = choose_probes(dataset(), embedding=40, gram=16)
    model = build_model("cnn-small", classes=3, seed=0).eval()
    guiding = layer_features(model, probes.images, ("block2",))["block2"]
    snapshotter = Snapshotter(probes, guiding, layer="block2", pooling="mean")
    assert np.isfinite(snapshotter.arrays(guiding * 1e7)["features"]).all()
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    assert snapshotter.draw(model) is None


def test_layer_map_agrees_with_pairwise_cka() -> None:
    images = split(40).images
    teacher, student = (build_model("cnn-small", classes=3, seed=seed).eval() for seed in (0, 1))
    layers = ("block1", "block3")
    features = [layer_features(network, images, layers) for network in (teacher, student)]
    found = measure_layer_map(*features, estimator="debiased", kernel="linear")
    for i, guiding in enumerate(layers):
        for j, guided in enumerate(layers):
            u = layer_features(teacher, images, (guiding,))[guiding]
            v = layer_features(student, images, (guided,))[guided]
            assert found.cka[i][j] == pytest.approx(float(cka(u, v)), abs=1e-6)
    assert found.n == 40


@pytest.mark.parametrize(("total", "count"), [(100, 20), (7, 3), (5, 20), (1, 2), (1000, 2)])
def test_snapshots_are_evenly_spaced_with_both_ends(total: int, count: int) -> None:
    due = [step for step in range(total + 1) if is_due(step, total, count)]
    assert due[0] == 0 and due[-1] == total
    assert len(due) == min(count, total + 1)
    gaps = np.diff(due)
    assert gaps.max() - gaps.min() <= 1


def test_what_was_said_and_some_pictures_are_kept(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create({})
    assert read_predictions(directory) is None and read_examples(directory) is None
    data, model = split(), Fixed()
    measured = measure_accuracy(
        {"a": model},
        data,
        trial=corrupting(["contrast"], (1, 4), seed=0),
        classes=("x", "y", "z"),
    )
    assert measured.examples is not None
    writer = RunWriter(directory)
    writer.save_arrays("predictions.npz", measured.predictions.arrays())
    writer.save_arrays("examples.npz", measured.examples.arrays())
    predictions, examples = read_predictions(directory), read_examples(directory)
    assert predictions is not None and predictions.cells == measured.predictions.cells
    assert predictions.predicted["a"].dtype == np.int16 and predictions.confidence["a"].dtype == np.float16
    np.testing.assert_array_equal(predictions.predicted["a"], measured.predictions.predicted["a"])
    assert examples is not None
    for name, array in measured.examples.arrays().items():
        np.testing.assert_array_equal(getattr(examples, name), array)


def test_batches_of_larger_images_are_smaller() -> None:
    assert batch_size(32, 32) == batch_size(8, 8) == BATCH
    assert batch_size(64, 64) == BATCH // 4
    assert batch_size(10_000, 10_000) == 1
