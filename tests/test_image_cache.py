"""Images are decoded once: what is kept, how it is found again, and that it is whole whoever else is at it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bird_backend import settings
from bird_backend.cli import main
from bird_backend.datasets import Dataset, load_dataset, own
from bird_backend.errors import Cancelled, InputError, RunError
from bird_backend.runs import image_cache
from bird_backend.runs.image_cache import free_cached, list_cached


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    chance = np.random.default_rng(0)
    for label in ("a", "b"):
        (root / label).mkdir(parents=True)
        for index in range(20):
            Image.fromarray(chance.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(root / label / f"{index}.png")
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that are decoded from here on."""
    names: list[str] = []
    decode = own.decode

    def counted(data: bytes, label: str, size: int) -> Any:
        names.append(label)
        return decode(data, label, size)

    monkeypatch.setattr(own, "decode", counted)
    return names


def same(one: Dataset, other: Dataset) -> bool:
    splits = [(getattr(one, part), getattr(other, part)) for part in ("train", "validation", "test")]
    equal = all(torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in splits)
    return equal and one.describe() == other.describe()


def test_images_are_decoded_once_for_a_size_and_as_they_were(folder: Path, decoded: list[str]) -> None:
    name = f"folder:{folder}"
    first = load_dataset(name)
    assert len(decoded) == 41, "once, and the first a second time at the size it turned out to have"
    assert first.image_size == 24
    assert same(first, load_dataset(name))
    asked = load_dataset(name, image_size=24)
    assert len(decoded) == 41, "the size that was chosen is the same as one asked for"
    assert torch.equal(asked.train.images, first.train.images)
    assert [data.describe()["reading"]["why_size"] for data in (first, asked)] == [
        "all images have that size already",
        "asked for",
    ]
    load_dataset(name, image_size=16)
    assert len(decoded) == 81
    Image.new("RGB", (24, 24)).save(folder / "a" / "0.png")
    assert not torch.equal(load_dataset(name).train.images, first.train.images)
    assert len(list_cached()) == 3


def test_nothing_that_is_damaged_is_taken(folder: Path, decoded: list[str]) -> None:
    name = f"folder:{folder}"
    whole = load_dataset(name)
    [entry] = list_cached()
    place = settings.cache_dir() / "images" / entry.key
    for file, content in (
        ("about.json", b"{}"),
        ("about.json", b"[["),
        ("labels.npy", b"no array"),
        ("images.npy", (place / "images.npy").read_bytes()[:-1]),
    ):
        decoded.clear()
        (place / file).write_bytes(content)
        assert same(load_dataset(name), whole)
        assert decoded, file
    (place / "images.npy").unlink()
    assert same(load_dataset(name), whole)


def test_what_is_stopped_or_finds_no_room_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(message: str, _share: float) -> None:
        if "Reading" in message:
            raise Cancelled("stopped")

    name = f"folder:{folder}"
    with pytest.raises(Cancelled):
        load_dataset(name, progress=stop)
    assert list((settings.cache_dir() / "images").iterdir()) == []

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("bird_backend.datasets.store.np.save", full)
        with pytest.raises(RunError, match=r"No space left on device\); free some room"):
            load_dataset(name)
    assert list((settings.cache_dir() / "images").iterdir()) == []
    settings.cache_dir().joinpath("images").rmdir()
    settings.cache_dir().joinpath("images").write_bytes(b"")
    with pytest.raises(InputError, match="can't be written"):
        load_dataset(name)


def test_images_that_change_while_they_are_read_are_not_kept(folder: Path) -> None:
    def meddle(_message: str, _share: float) -> None:
        os.utime(folder / "a" / "3.png", ns=(1, 1))

    with pytest.raises(InputError, match="changed while it was read"):
        load_dataset(f"folder:{folder}", progress=meddle)
    assert list_cached() == []


def test_of_two_that_decode_at_once_the_faster_one_is_kept_and_both_have_all(folder: Path) -> None:
    name = f"folder:{folder}"
    faster: list[Dataset] = []

    def meanwhile(_message: str, _share: float) -> None:
        if not faster:
            faster.append(load_dataset(name, image_size=16))

    slower = load_dataset(name, image_size=16, progress=meanwhile)
    assert same(slower, faster[0])
    assert len(list_cached()) == 1
    assert not [path for path in (settings.cache_dir() / "images").iterdir() if path.name.startswith(".")]


def test_leftovers_of_a_process_that_died_are_cleared_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_dataset(f"folder:{folder}")
    left = settings.cache_dir() / "images" / ".0123456789abcdef"
    left.mkdir()
    (left / "images.npy").write_bytes(b"half")
    load_dataset(f"folder:{folder}", image_size=16)
    assert left.exists(), "it may have just begun"
    monkeypatch.setattr(image_cache, "_YOUNG_SECONDS", -1.0)
    load_dataset(f"folder:{folder}", image_size=32)
    assert not left.exists()


def test_what_is_kept_is_listed_and_freed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"folder:{folder}"
    assert main(["cache"]) == 0
    assert "Nothing is kept." in capsys.readouterr().out
    data = load_dataset(name)
    before = data.train.images.clone()
    load_dataset(name, image_size=16)
    assert main(["cache", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(entry["name"], entry["image_size"], entry["images"]) for entry in listed] == [
        (name, 24, 40),
        (name, 16, 40),
    ]
    assert listed[0]["bytes"] >= 40 * 3 * 24 * 24
    assert main(["cache", "--free", "folder:/elsewhere"]) == 2
    assert name in capsys.readouterr().err
    assert main(["cache", "--free", listed[1]["key"]]) == 0
    assert [entry.image_size for entry in list_cached()] == [24]
    assert [entry.image_size for entry in free_cached(name)] == [24]
    assert torch.equal(data.train.images, before), "who has them open keeps them"
    assert free_cached("all") == [] and list((settings.cache_dir() / "images").iterdir()) == []
