"""Images and labels as arrays: what they may be called and hold, and torchvision's own sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.datasets as vision

from bird_backend import settings
from bird_backend.catalog import TORCHVISION_SETS, may_be_mirrored, title_of
from bird_backend.datasets import Dataset, load_dataset
from bird_backend.datasets.torchvision_sets import load_torchvision
from bird_backend.errors import RunError, UnknownNameError
from bird_backend.runs.fingerprints import data_fingerprint
from tests.test_folders import reds, refusal


def levels(n: int = 20, first: int = 0, shape: tuple[int, ...] = (16, 16)) -> np.ndarray:
    """Images that are one level each, its place."""
    return np.broadcast_to(np.arange(first, first + n, dtype=np.uint8).reshape(-1, *[1] * len(shape)), (n, *shape))


def npz(root: Path, **arrays: Any) -> str:
    np.savez(root / "set.npz", **arrays)
    return f"arrays:{root / 'set.npz'}"


def parity(data: Dataset) -> bool:
    """Whether each image has the label of its level."""
    splits = (data.train, data.validation, data.test)
    return all(torch.equal(split.images[:, 0, 8, 8].long() % 2, split.labels) for split in splits)


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train"), ("train_images", "train_labels")])
def test_a_pair_of_arrays_is_cut_into_splits(tmp_path: Path, names: tuple[str, str]) -> None:
    data = load_dataset(npz(tmp_path, **dict(zip(names, (levels(), np.arange(20) % 2), strict=True))))
    assert data.classes == ("0", "1") and data.image_size == 16
    assert [len(split) for split in (data.train, data.validation, data.test)] == [14, 2, 4]
    assert parity(data) and data.remarks == ()
    assert sorted(sum(reds(data).values(), start=[])) == list(range(20))  # noqa: RUF017


def test_splits_of_their_own_and_names_of_classes(tmp_path: Path) -> None:
    data = load_dataset(
        npz(
            tmp_path,
            X_train=levels(),
            y_train=np.arange(20).reshape(-1, 1) % 2,
            val_images=levels(2, 100),
            val_labels=np.eye(2)[[0, 1]],
            x_test=levels(2, 200),
            y_test=np.array([0.0, 1.0]),
            classes=np.array(["even", "odd", "neither"]),
        )
    )
    assert data.classes == ("even", "odd") and parity(data)
    assert reds(data) == {"train": list(range(20)), "validation": [100, 101], "test": [200, 201]}
    assert data.reading is not None and data.reading["origins"] == dict.fromkeys(
        ("validation", "test"), "its own images"
    )


def test_a_folder_of_npy_files_and_labels_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", levels(shape=(3, 16, 16)))
    np.save(tmp_path / "labels.npy", np.array(["cat", "dog"] * 10))
    name = f"arrays:{tmp_path}"
    data = load_dataset(name)
    assert data.classes == ("cat", "dog") and parity(data)
    before = data_fingerprint(name, fresh=True)
    np.save(tmp_path / "images.npy", levels(21, shape=(3, 16, 16)))
    assert data_fingerprint(name, fresh=True) != before


@pytest.mark.parametrize(
    "images",
    [
        levels(),
        levels(shape=(16, 16, 1)),
        levels(shape=(16, 16, 3)),
        levels(shape=(1, 16, 16)),
        np.concatenate([levels(shape=(16, 16, 3)), np.full((20, 16, 16, 1), 255, np.uint8)], axis=3),
        levels().astype(np.uint16) * 257,
        levels().astype(np.int64),
        levels().astype(np.float32),
        levels().astype(np.float64) / 255,
    ],
    ids=lambda images: f"{images.dtype} {list(images.shape[1:])}",
)
def test_shapes_and_numbers_that_images_have(tmp_path: Path, images: np.ndarray) -> None:
    data = load_dataset(npz(tmp_path, images=images, labels=np.arange(20) % 2), image_size=16)
    assert parity(data)
    assert torch.equal(data.train.images[:, 0], data.train.images[:, 2])


def test_arrays_of_another_size_are_brought_to_one(tmp_path: Path) -> None:
    data = load_dataset(npz(tmp_path, images=levels(shape=(28, 20)), labels=np.arange(20) % 2))
    assert data.image_size == 64 and parity(data)
    assert data.remarks == (
        "20 of 20 images are not square and squashed to 64×64.",
        "20 of 20 images are smaller than 64×64 and enlarged.",
    )


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": np.zeros(3)}, "has no images and labels to learn from, such as x_train and y_train, but a"),
        ({"images": levels()}, "has images but no labels"),
        ({"images": levels(), "labels": np.zeros(3)}, "has 20 images and 3 labels"),
        ({"images": levels(), "labels": np.zeros(20)}, "has only one class"),
        ({"images": levels(), "labels": np.arange(20) / 2}, "labels are not whole numbers"),
        ({"images": levels() - 5.0, "labels": np.arange(20) % 2}, "has numbers from -5 to 14"),
        ({"images": levels() * np.nan, "labels": np.arange(20) % 2}, "has numbers from nan to nan"),
        ({"images": np.zeros((20, 7)), "labels": np.arange(20) % 2}, "has the shape [20, 7]; images are"),
        ({"images": levels(), "labels": np.arange(20)}, "class '0' has 1 training images"),
        (
            {"images": levels(), "labels": np.arange(20) % 2, "x_test": levels(1), "y_test": np.array([7])},
            "has test images of 7, a class without training images",
        ),
        (
            {"images": levels(), "labels": 5 + np.arange(20) % 2, "classes": np.array(["a", "b"])},
            "has the names of 2 classes and labels from 5 to 6",
        ),
    ],
)
def test_arrays_that_are_no_data_set_are_one_sentence(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    assert said in refusal(npz(tmp_path, **arrays))


def test_files_that_are_no_arrays_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is nothing at" in refusal(f"arrays:{tmp_path / 'none.npz'}")
    (tmp_path / "x.npz").write_bytes(b"PK no zip")
    assert "can't be read as an .npz" in refusal(f"arrays:{tmp_path / 'x.npz'}")
    (tmp_path / "x.txt").write_bytes(b"")
    assert "is neither an .npz file nor a folder" in refusal(f"arrays:{tmp_path / 'x.txt'}")
    np.savez(tmp_path / "o.npz", images=np.array([object()], dtype=object), labels=np.zeros(1))
    assert "can't be read as an .npz of numbers" in refusal(f"arrays:{tmp_path / 'o.npz'}")
    name = npz(tmp_path, images=levels(), labels=np.arange(20) % 2)
    monkeypatch.setattr(settings, "MAX_UNPACKED_BYTES", 1000)
    assert "unpacks to more than" in refusal(name)


def test_sets_of_torchvision_are_there_by_their_names() -> None:
    for name in TORCHVISION_SETS:
        assert hasattr(vision, name) and "train" in TORCHVISION_SETS[name].splits
    assert title_of("torchvision:STL10") == "STL-10"
    assert not may_be_mirrored("torchvision:MNIST") and may_be_mirrored("torchvision:Food101")
    with pytest.raises(UnknownNameError, match="did you mean"):
        load_dataset("torchvision:MNISTT")


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.astype(np.uint8).tobytes()


def test_a_set_of_torchvision_that_is_there_is_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = settings.data_dir() / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem, n in (("train", 100), ("t10k", 30)):
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(_idx(levels(n, shape=(28, 28))))
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(_idx(np.arange(n) % 10))
    data = load_dataset("torchvision:MNIST")
    assert data.image_size == 32 and data.classes[3] == "3 - three"
    assert [len(split) for split in (data.train, data.validation, data.test)] == [90, 10, 30]
    for split in (data.train, data.validation, data.test):
        assert torch.equal(split.images[:, 1, 16, 16].long() % 10, split.labels)
    for file in raw.iterdir():
        file.unlink()
    assert torch.equal(load_dataset("torchvision:MNIST").test.images, data.test.images)
    assert load_dataset("digits").name == "digits"


def test_one_that_can_not_be_had_says_where_it_belongs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision.KMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(RunError, match=r"Kuzushiji-MNIST can't be had .* where torchvision's KMNIST looks for them\.$"):
        load_torchvision("torchvision:KMNIST", "auto", lambda *_: None)
