"""Embedded data sets, the fixed split, augmentation and normalisation."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from bird_backend import catalog, datasets, settings
from bird_backend.datasets import Dataset, Split, augment, build_fashion_mnist_small, load_dataset, normalise
from bird_backend.datasets.arrays import read_npz, write_npz
from bird_backend.datasets.registry import LOADERS
from bird_backend.datasets.splits import assemble, hold_out
from bird_backend.errors import InputError, RunError, UnknownNameError
from bird_backend.experiments.augmenting import clean
from bird_backend.models import build_model
from bird_backend.specs import Training


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module", params=[name for name, facts in catalog.DATASETS.items() if not facts.network])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return load_dataset(request.param)


def test_an_embedded_data_set_is_as_the_catalogue_says(dataset: Dataset) -> None:
    facts = catalog.find_dataset(dataset.name)
    splits = (dataset.train, dataset.validation, dataset.test)
    assert [len(split) for split in splits] == [facts.train, facts.validation, facts.test]
    assert dataset.classes == facts.classes
    for split in splits:
        assert split.images.shape == (len(split), 3, 32, 32)
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert split.images.is_contiguous()
        assert set(split.labels.tolist()) == set(range(len(facts.classes)))
        assert split.images.float().std() > 40


def test_splits_are_stratified_and_share_no_image(dataset: Dataset) -> None:
    for split in (dataset.train, dataset.validation, dataset.test):
        share = torch.bincount(split.labels) / len(split)
        assert (share - torch.bincount(dataset.train.labels) / len(dataset.train)).abs().max() < 0.01
    seen = {image.numpy().tobytes() for image in dataset.train.images}
    held_out = (dataset.validation.images, dataset.test.images)
    shared = sum(image.numpy().tobytes() in seen for images in held_out for image in images)
    assert shared <= 5  # Fashion-MNIST itself holds a few images twice


def test_loading_again_and_moving_changes_nothing(dataset: Dataset) -> None:
    again = load_dataset(dataset.name).to("cpu")
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(again, part).images, getattr(dataset, part).images)
        assert torch.equal(getattr(again, part).labels, getattr(dataset, part).labels)


def test_the_registry_holds_what_the_catalogue_lists() -> None:
    assert set(LOADERS) == set(catalog.DATASETS)
    assert all(hasattr(datasets, name) for name in datasets.__all__)


def test_an_unknown_name_lists_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean fashion-mnist"):
        load_dataset("fasion-mnist")
    for name in ("folder:", "http://example.org/x.zip", "../digits"):
        with pytest.raises(UnknownNameError):
            load_dataset(name)


def test_progress_ends_at_one() -> None:
    told: list[tuple[str, float]] = []
    load_dataset("fashion-mnist-small", progress=lambda message, share: told.append((message, share)))
    assert told[-1] == ("fashion-mnist-small loaded", 1.0)


def test_the_demo_data_needs_no_heavy_package() -> None:
    code = (
        "import sys; from bird_backend.datasets import load_dataset; load_dataset('fashion-mnist-small');"
        "print(sorted({'sklearn', 'torchvision', 'scipy'} & set(sys.modules)))"
    )
    root = Path(datasets.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_fashion_images_are_framed_in_black_and_grey() -> None:
    images = load_dataset("fashion-mnist-small").test.images
    assert images[:, :, :2].max() == images[:, :, -2:].max() == images[..., :2].max() == images[..., -2:].max() == 0
    assert torch.equal(images[:, 0], images[:, 1])
    assert torch.equal(images[:, 0], images[:, 2])
    stored = read_npz(settings.ASSETS / "fashion-mnist-small.npz")["test_images"]
    assert np.array_equal(images[:, 0, 2:-2, 2:-2].numpy(), stored)


def test_digits_are_enlarged_without_a_change_of_brightness() -> None:
    dataset = load_dataset("digits")
    splits = (dataset.train, dataset.validation, dataset.test)
    ours = sum(split.images[:, 0].float().sum().item() for split in splits) / 1797 / 1024
    assert ours == pytest.approx(load_digits().images.mean() * 255 / 16, rel=0.02)


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), 1))


@pytest.fixture
def idx_files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for stem, per_class in (("train", 1210), ("t10k", 303)):
        labels = rng.permutation(np.repeat(np.arange(10), per_class))
        write_idx(
            tmp_path / f"{stem}-images-idx3-ubyte.gz",
            np.broadcast_to(np.arange(len(labels))[:, None, None] % 251, (len(labels), 28, 28)),
        )
        write_idx(tmp_path / f"{stem}-labels-idx1-ubyte.gz", labels)
    return tmp_path


def test_the_asset_is_built_from_the_first_of_each_class(idx_files: Path) -> None:
    first, second = idx_files / "a.npz", idx_files / "deep" / "b.npz"
    build_fashion_mnist_small(idx_files, first)
    build_fashion_mnist_small(idx_files, second)
    assert first.read_bytes() == second.read_bytes()
    arrays = read_npz(first)
    assert {name: array.shape for name, array in arrays.items()} == {
        "train_images": (12000, 28, 28),
        "train_labels": (12000,),
        "test_images": (3000, 28, 28),
        "test_labels": (3000,),
    }
    raw = gzip.decompress((idx_files / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    taken, expected = dict.fromkeys(range(10), 0), []
    for place, label in enumerate(raw):
        if taken[label] < 1200:
            taken[label] += 1
            expected.append((place % 251, label))
    images, labels = arrays["train_images"], arrays["train_labels"]
    assert list(zip(images[:, 3, 5].tolist(), labels.tolist(), strict=True)) == expected


def test_a_source_that_is_not_fashion_mnist_is_refused(idx_files: Path, tmp_path: Path) -> None:
    labels = idx_files / "train-labels-idx1-ubyte.gz"
    write_idx(labels, np.zeros(12100))
    with pytest.raises(InputError, match="don't hold 1200 images of each"):
        build_fashion_mnist_small(idx_files, tmp_path / "out.npz")
    whole = gzip.decompress(labels.read_bytes())
    for data, message in (
        (gzip.compress(whole[:-5]), "holds 12095 values"),
        (gzip.compress(b"\0\0\x0b\x01" + whole[4:]), "is not an IDX file"),
        (b"plain", "can't be read"),
    ):
        labels.write_bytes(data)
        with pytest.raises(InputError, match=message):
            build_fashion_mnist_small(idx_files, tmp_path / "out.npz")
    labels.unlink()
    with pytest.raises(InputError, match="train-labels"):
        build_fashion_mnist_small(idx_files, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_damaged_asset_says_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "ASSETS", tmp_path)
    for damage in (None, b"", b"PK not a zip"):
        if damage is not None:
            (tmp_path / "fashion-mnist-small.npz").write_bytes(damage)
        with pytest.raises(RunError, match=r"restore that file"):
            load_dataset("fashion-mnist-small")


def test_arrays_are_written_whole_and_never_pickled(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, {"x": np.arange(5)}, compress=False)
    with pytest.raises(ValueError, match="bject"):
        write_npz(path, {"x": np.array([object()])}, compress=False)
    assert read_npz(path)["x"].tolist() == [0, 1, 2, 3, 4]
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([object()], dtype=object))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="allow_pickle"):
        read_npz(path)


@pytest.mark.parametrize("counts", [(10, 10), (5, 50, 13), (2, 2, 2), (7,) * 30])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_hold_out_is_a_stratified_partition(counts: tuple[int, ...], share: float) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    kept, out = hold_out(labels, share)
    assert sorted([*kept, *out]) == list(range(len(labels)))
    assert np.array_equal(out, np.sort(out))
    for label, count in enumerate(counts):
        held = int((labels[out] == label).sum())
        assert 1 <= held < count
        assert abs(held - share * count) <= 1


def test_the_split_never_changes() -> None:
    labels = np.arange(60) % 3
    assert hold_out(labels, 0.1)[1].tolist() == [4, 17, 18, 21, 34, 56]


def test_assemble_cuts_test_images_where_there_are_none() -> None:
    labels = np.repeat(np.arange(4), 50)
    images = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 3, 32, 32))
    dataset = assemble("x", ("a", "b", "c", "d"), (images, labels))
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [144, 16, 40]
    everything = torch.cat([dataset.train.images, dataset.validation.images, dataset.test.images])
    assert sorted(everything[:, 0, 0, 0].tolist()) == list(range(200))


def test_augmented_images_are_shifted_and_mirrored_copies() -> None:
    images = torch.randint(1, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=generator())
    result = augment(images, generator(1))
    assert (result.shape, result.dtype) == (images.shape, images.dtype)
    shifts, mirrored = set(), 0
    for before, after in zip(images.numpy(), result.numpy(), strict=True):
        canvas = np.zeros((3, 40, 40), dtype=np.uint8)
        canvas[:, 4:36, 4:36] = before
        found = [
            (y, x, flip)
            for y in range(9)
            for x in range(9)
            for flip in (False, True)
            if np.array_equal(canvas[:, y : y + 32, x : x + 32][..., :: -1 if flip else 1], after)
        ]
        assert len(found) == 1
        shifts.add(found[0][:2])
        mirrored += found[0][2]
    assert len(shifts) > 30
    assert 16 < mirrored < 48


def test_shifting_and_mirroring_can_each_be_left_out() -> None:
    images = torch.randint(1, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=generator())
    both, shifted = augment(images, generator(1)), augment(images, generator(1), mirror=False)
    mirrored = augment(images, generator(1), shift=False)
    turned = (mirrored == images.flip(3)).flatten(1).all(dim=1)
    assert torch.equal(mirrored, torch.where(turned[:, None, None, None], images.flip(3), images))
    assert torch.equal(both, torch.where(turned[:, None, None, None], shifted.flip(3), shifted))
    assert torch.equal(augment(images, generator(1), shift=False, mirror=False), images)


@pytest.mark.parametrize(
    ("data", "asked", "mirrors"),
    [
        ("digits", "auto", False),
        ("svhn", "auto", False),
        ("fashion-mnist-small", "auto", True),
        ("folder:/photos", "auto", True),
        ("digits", True, True),
        ("folder:/signs", False, False),
    ],
)
def test_what_has_a_right_way_round_is_not_mirrored(data: str, asked: Any, mirrors: bool) -> None:
    split = Split(
        images=torch.arange(96, dtype=torch.uint8).view(1, 3, 4, 8).repeat(40, 1, 1, 1), labels=torch.zeros(40)
    )
    images = clean(split, Training(shift=False, mirror=asked), data)
    student = build_model("cnn-small", classes=2, seed=0)
    rows, chance = torch.arange(40), generator()
    batch = images.batch(rows, generator=chance, cpu_generator=chance, student=student, progress=0.0)
    flipped = (batch.inputs != normalise(split.images)).flatten(1).any(dim=1)
    assert flipped.any().item() is mirrors and not flipped.all()


def test_every_shift_and_mirror_is_as_likely_as_any() -> None:
    images = torch.zeros(20000, 1, 32, 32, dtype=torch.uint8)
    images[:, 0, 16, 15] = 1  # not in the middle, so that a mirror image can be told
    everywhere = augment(images, generator()).sum((0, 1)).double()
    places = everywhere[12:21, 11:21]
    assert everywhere.sum() == places.sum() == 20000
    # Column 15 goes to 19 − shift, mirrored to 12 + shift, for nine shifts.
    columns = torch.tensor([1.0, *[2.0] * 8, 1.0], dtype=torch.float64) / 18
    expected = torch.full((9, 1), 20000 / 9, dtype=torch.float64) * columns
    chi_squared = ((places - expected) ** 2 / expected).sum()
    assert chi_squared < 135  # 89 degrees of freedom: once in a thousand


def test_augmentation_draws_only_from_its_generator() -> None:
    images = torch.randint(0, 256, (16, 3, 32, 32), dtype=torch.uint8, generator=generator())
    before = images.clone()
    torch.manual_seed(0)
    first = augment(images, generator(7))
    torch.manual_seed(1)
    assert torch.equal(first, augment(images, generator(7)))
    assert not torch.equal(first, augment(images, generator(8)))
    assert torch.equal(images, before)
    assert torch.equal(augment(images.float(), generator(7)), first.float())


def test_normalise_is_the_documented_line() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    expected = (levels.double() / 255 - 0.5) / 0.25
    assert normalise(levels).dtype == torch.float32
    assert torch.allclose(normalise(levels).double(), expected, atol=1e-6)
    with pytest.raises(InputError, match="uint8"):
        normalise(levels / 255)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_augmentation_never_waits_for_the_gpu() -> None:
    images, chance = torch.zeros(32, 3, 32, 32, dtype=torch.uint8).cuda(), torch.Generator("cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        normalise(augment(images, chance))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(("side", "furthest"), [(16, 2), (64, 8)])
def test_images_shift_by_an_eighth_of_their_side(side: int, furthest: int) -> None:
    images = torch.full((400, 1, side, side), 1, dtype=torch.uint8)
    black = (augment(images, generator(), mirror=False).sum((1, 2)) == 0).sum(1)
    assert set(black.tolist()) == set(range(furthest + 1))


def test_a_data_set_is_had_at_any_size_and_its_split_stays() -> None:
    usual, larger = load_dataset("fashion-mnist-small").test, load_dataset("fashion-mnist-small", image_size=48)
    assert larger.image_size == 48
    assert torch.equal(larger.test.labels, usual.labels)
    for before, after in zip(usual.images[:20], larger.test.images[:20], strict=True):
        expected = Image.fromarray(before.permute(1, 2, 0).numpy()).resize((48, 48), Image.Resampling.BICUBIC)
        assert np.abs(after.permute(1, 2, 0).numpy().astype(int) - np.asarray(expected)).max() <= 1
    assert load_dataset("digits", image_size=16).train.images.shape == (1294, 3, 16, 16)
