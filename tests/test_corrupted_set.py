"""Corrupted sets in the published layout: written in a stream, read by the row, and refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bird_backend.behaviours.corruptions import stored as corrupted_set
from bird_backend.behaviours.corruptions.stored import open_corrupted_set, write_corrupted_set
from bird_backend.corruptions.applying import corrupt
from bird_backend.datasets import Split
from bird_backend.errors import BirdError, InputError, RunError
from bird_backend.evaluation import measure_accuracy
from bird_backend.models import build_model
from bird_backend.seeds import derive_seed
from tests.trials import corrupting

N = 520
"""More than one batch."""
HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (-10, 32, 32, 3), }\n"
NEGATIVE = b"\x93NUMPY\x01\x00" + len(HEADER).to_bytes(2, "little") + HEADER
NAMES = ("gaussian_noise", "contrast", "elastic_transform")


def split(n: int = N) -> Split:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return Split(images=images, labels=torch.arange(n) % 3)


def write(folder: Path, data: Split, **options: object) -> list[Path]:
    arguments: dict[str, object] = {"trial": corrupting(NAMES, seed=7)}
    return write_corrupted_set(
        folder,
        data.images.permute(0, 2, 3, 1).numpy(),
        data.labels.numpy(),
        device=torch.device("cpu"),
        **(arguments | options),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "deep" / "CIFAR-X-C"
    write(folder, split())
    return folder


def small(folder: Path) -> tuple[Path, torch.Tensor]:
    """A whole set of two images, to be broken."""
    data = split(2)
    write(folder, data, trial=corrupting(["contrast"], seed=7))
    return folder, data.labels


def test_a_set_has_the_published_layout(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == sorted([*(f"{name}.npy" for name in NAMES), "labels.npy"])
    data = split()
    np.testing.assert_array_equal(np.load(written / "labels.npy"), np.tile(data.labels, 5))
    for name in NAMES:
        images = np.load(written / f"{name}.npy")
        assert images.shape == (5 * N, 32, 32, 3) and images.dtype == np.uint8
        for severity in (1, 5):
            for start in (0, 500):
                generator = torch.Generator().manual_seed(derive_seed(7, f"{name} {severity}", start))
                batch = corrupt(data.images[start : start + 500], name, severity, generator=generator)
                rows = images[(severity - 1) * N + start :][: len(batch)]
                np.testing.assert_array_equal(rows, batch.permute(0, 2, 3, 1))


def test_what_was_written_is_what_is_corrupted_on_the_fly(written: Path) -> None:
    data, model = split(), build_model("cnn-small", classes=3, seed=0)
    stored = open_corrupted_set(written, NAMES, data.labels, 32)
    found = []
    for source in (None, stored):
        measured = measure_accuracy(
            {"m": model}, data, trial=corrupting(NAMES, (2, 5), seed=7, stored=source), classes=("a", "b", "c")
        )
        assert measured.examples is not None
        found.append((measured.predictions, measured.examples))
    (fly, pictures), (read, same_pictures) = found
    np.testing.assert_array_equal(fly.images, read.images)
    np.testing.assert_array_equal(fly.labels, read.labels)
    np.testing.assert_array_equal(fly.predicted["m"], read.predicted["m"])
    np.testing.assert_array_equal(fly.confidence["m"], read.confidence["m"])
    np.testing.assert_array_equal(pictures.changed, same_pictures.changed)


def test_larger_images_are_changed_in_the_same_batches_on_the_fly_and_on_disk(tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (130, 3, 64, 64), dtype=torch.uint8, generator=chance)
    data, model = Split(images=images, labels=torch.arange(130) % 3), build_model("cnn-small", classes=3, seed=0)
    trial = corrupting(("gaussian_noise",), (5,), seed=7)
    pictures = images.permute(0, 2, 3, 1).numpy()
    write_corrupted_set(
        tmp_path,
        pictures,
        data.labels.numpy(),
        trial=corrupting(("gaussian_noise",), seed=7),
        device=torch.device("cpu"),
    )
    stored = open_corrupted_set(tmp_path, ("gaussian_noise",), data.labels, 64)
    fly = measure_accuracy({"m": model}, data, trial=trial, classes=("a", "b", "c"))
    read = measure_accuracy(
        {"m": model}, data, trial=corrupting(("gaussian_noise",), (5,), seed=7, stored=stored), classes=("a", "b", "c")
    )
    np.testing.assert_array_equal(fly.predictions.confidence["m"], read.predictions.confidence["m"])
    assert fly.examples is not None and read.examples is not None
    np.testing.assert_array_equal(fly.examples.changed, read.examples.changed)


def test_a_limited_evaluation_reads_the_chosen_images(written: Path) -> None:
    data, model = split(), build_model("cnn-small", classes=3, seed=0)
    stored = open_corrupted_set(written, NAMES, data.labels, 32)
    whole = measure_accuracy({"m": model}, data, trial=corrupting(NAMES, (3,), seed=7, stored=stored)).predictions
    few = measure_accuracy(
        {"m": model}, data, trial=corrupting(NAMES, (3,), seed=7, stored=stored), limit=30
    ).predictions
    np.testing.assert_array_equal(few.predicted["m"], whole.predicted["m"][:, few.images])


def test_other_sizes_and_severities_and_progress(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 48, 3), dtype=np.uint8)
    heard: list[float] = []
    paths = write_corrupted_set(
        tmp_path,
        images,
        None,
        trial=corrupting(["contrast"], (1, 3)),
        device=torch.device("cpu"),
        progress=lambda _, part: heard.append(part),
    )
    assert [path.name for path in paths] == ["contrast.npy"]
    assert np.load(paths[0]).shape == (6, 20, 48, 3)
    assert heard == pytest.approx([0.5, 1])


def test_nothing_is_overwritten_or_left_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = small(tmp_path / "set")
    before = (folder / "contrast.npy").read_bytes()
    with pytest.raises(InputError, match=r"contrast\.npy, labels\.npy already"):
        write(folder, split(2), trial=corrupting(["gaussian_noise", "contrast"]))
    assert not (folder / "gaussian_noise.npy").exists()
    write(folder, split(2), trial=corrupting(["contrast"], seed=1), overwrite=True)
    assert (folder / "contrast.npy").read_bytes() == before

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "new", split(2), progress=stop)
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="can't be written: Not a directory"):
        write(tmp_path / "file" / "set", split(2))
    monkeypatch.setattr(corrupted_set.os, "fsync", _no_space)
    with pytest.raises(RunError, match="No space left"):
        write(tmp_path / "new", split(2))
    assert list((tmp_path / "new").iterdir()) == []


def _no_space(_: int) -> None:
    raise OSError(28, "No space left on device")


def refused(folder: Path, labels: torch.Tensor, names: tuple[str, ...] = ("contrast",)) -> str:
    with pytest.raises(BirdError) as error:
        open_corrupted_set(folder, names, labels, 32)
    sentence = str(error.value)
    assert isinstance(error.value, InputError)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_missing_files_are_named_with_what_is_there(tmp_path: Path) -> None:
    folder, labels = small(tmp_path / "set")
    assert "no folder" in refused(tmp_path / "none", labels)
    assert "no folder" in refused(folder / "contrast.npy", labels)
    assert "lacks fog.npy; to use what is there: --conditions contrast." in refused(folder, labels, ("contrast", "fog"))
    assert "fog.npy, snow.npy, frost.npy and 1 more; to use" in refused(
        folder, labels, ("fog", "snow", "frost", "spatter")
    )
    (tmp_path / "empty").mkdir()
    assert "no corrupted images at all" in refused(tmp_path / "empty", labels)
    (folder / "labels.npy").unlink()
    assert "labels.npy" in refused(folder, labels)


def test_images_that_do_not_fit(tmp_path: Path) -> None:
    folder, labels = small(tmp_path / "set")
    path = folder / "contrast.npy"
    images = np.load(path)
    np.save(path, images[:8])
    assert "too short: it has 8 images, where 2 test images at 5 severities are 10" in refused(folder, labels)
    np.save(path, np.concatenate([images, images]))
    assert "too long: it has 20 images" in refused(folder, labels)
    np.save(path, images.astype(np.float32))
    assert "holds float32 [10, 32, 32, 3]; corrupted images are uint8" in refused(folder, labels)
    np.save(path, images[..., 0])
    assert "[10, 32, 32]" in refused(folder, labels)
    np.save(path, images[:, :28, :28])
    assert "images of [28, 28, 3], where those of the data set are [32, 32, 3] here" in refused(folder, labels)
    np.save(path, images.transpose(0, 3, 1, 2))
    assert "images of [3, 32, 32]" in refused(folder, labels)


def test_files_that_are_no_arrays(tmp_path: Path) -> None:
    folder, labels = small(tmp_path / "set")
    path = folder / "contrast.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "cut short: 100 bytes are missing" in refused(folder, labels)
    for content in (
        b"",
        b"hello",
        whole[:40],
        b"PK\x03\x04" + whole,
        NEGATIVE,
        b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16,
    ):
        path.write_bytes(content)
        assert "is not a .npy file" in refused(folder, labels)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert "Python objects" in refused(folder, labels)
    path.unlink()
    path.mkdir()
    assert "can't be read" in refused(folder, labels)


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    folder, labels = small(tmp_path / "set")
    path = folder / "labels.npy"
    right = np.load(path)
    np.save(path, right[:2])
    assert "has 2 labels; 2 test images at 5 severities have 10" in refused(folder, labels)
    wrong = right.copy()
    wrong[3] += 1
    np.save(path, wrong)
    assert "other labels than the data set's test images in 1 of 10 places" in refused(folder, labels)
    np.save(path, right.astype(float))
    assert "labels are whole numbers" in refused(folder, labels)
    np.save(path, right.astype(np.uint8))
    assert open_corrupted_set(folder, ("contrast",), labels, 32).n == 2


def test_a_fortran_file_reads_like_any_other(tmp_path: Path) -> None:
    folder, labels = small(tmp_path / "set")
    images = np.load(folder / "contrast.npy")
    np.save(folder / "contrast.npy", np.asfortranarray(images))
    stored = open_corrupted_set(folder, ("contrast",), labels, 32)
    batch = stored.batch(("contrast", 2), np.array([1]), torch.device("cpu"))
    np.testing.assert_array_equal(batch.permute(0, 2, 3, 1), images[3:4])
