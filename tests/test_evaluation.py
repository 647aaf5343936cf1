"""Accuracy under corruption, probes, snapshots and layer maps against plain loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bird_backend.corruptions import corrupt
from bird_backend.datasets import Dataset, Split, normalise
from bird_backend.evaluation import Snapshotter, choose_probes, layer_features, measure_accuracy, measure_layer_map
from bird_backend.experiments.arm import is_due
from bird_backend.models import build_model
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_correct
from bird_backend.runs.writing import RunWriter
from bird_backend.similarity import cka


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


def test_accuracy_agrees_with_a_loop_over_images() -> None:
    data, model = split(), Fixed()
    table = measure_accuracy({"m": model}, data, corruptions=["contrast", "pixelate"], severities=(2, 5), seed=0)
    assert table.cells == (("clean", 0), ("contrast", 2), ("contrast", 5), ("pixelate", 2), ("pixelate", 5))
    generator = torch.Generator()
    for name, severity in table.cells:
        right = 0
        for image, label in zip(data.images, data.labels, strict=True):
            spoiled = corrupt(image[None], name, severity, generator=generator) if severity else image[None]
            right += int(model(normalise(spoiled)).argmax() == label)
        frame = table.frame()
        row = frame[(frame["corruption"] == name) & (frame["severity"] == severity)].iloc[0]
        assert (row["correct"], row["n"]) == (right, 60)


def test_models_see_the_same_noise_and_the_same_images_every_time() -> None:
    data, model = split(), Fixed()
    once = measure_accuracy(
        {"a": model, "b": model}, data, corruptions=["gaussian_noise"], severities=(5,), seed=4, limit=20
    )
    again = measure_accuracy({"c": model}, data, corruptions=["gaussian_noise"], severities=(5,), seed=4, limit=20)
    assert torch.equal(once.correct["a"], once.correct["b"])
    assert torch.equal(once.correct["a"], again.correct["c"])
    assert once.n == 20
    gain = once.gain("a", "b", ["gaussian_noise"])
    assert gain is not None and (gain.value, gain.low, gain.high) == (0, 0, 0)


def test_intervals_treat_an_image_as_one_observation() -> None:
    data, model = split(), Fixed()
    table = measure_accuracy({"m": model}, data, corruptions=["contrast"], severities=(1, 2, 3), seed=0)
    per_image = table.correct["m"][1:].double().mean(0).numpy()
    interval = table.mean("m", ["contrast"])
    assert interval is not None
    half = 1.96 * per_image.std(ddof=1) / np.sqrt(len(per_image))
    assert interval.value == pytest.approx(per_image.mean())
    assert interval.high - interval.value == pytest.approx(half)
    assert table.mean("m", ["gaussian_blur"]) is None


def test_measuring_leaves_a_model_as_it_was() -> None:
    model = build_model("resnet-narrow", classes=3, seed=0).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measure_accuracy({"m": model}, split(), corruptions=["contrast"], severities=(1,), seed=0)
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
    found = measure_layer_map(
        teacher, student, images, teacher_layers=layers, student_layers=layers, estimator="debiased", kernel="linear"
    )
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


def test_what_each_model_got_right_is_kept_image_by_image(tmp_path: Path) -> None:
    data, model = split(), Fixed()
    table = measure_accuracy({"a": model}, data, corruptions=["contrast", "pixelate"], severities=(1, 4), seed=0)
    directory = RunDirectory(tmp_path / "run")
    directory.create({})
    assert read_correct(directory) is None
    RunWriter(directory).save_arrays("correct.npz", table.arrays())
    found = read_correct(directory)
    assert found is not None and found.cells == table.cells
    expected = table.correct["a"][1:3].double().mean(0).numpy()
    np.testing.assert_allclose(found.share("a", ["contrast"]), expected)
    np.testing.assert_array_equal(found.share("a", ["pixelate"], 4), table.correct["a"][4].numpy())
