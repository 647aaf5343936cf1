"""Folders and zips as data sets: what is read, and what is refused with which sentence."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bird_backend import settings
from bird_backend.datasets import Dataset, load_dataset
from bird_backend.errors import InputError

Files = dict[str, bytes]


def picture(
    level: int, size: tuple[int, int] = (32, 32), kind: str = "PNG", mode: str = "RGB", **save: object
) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (level, level // 2, 7)).convert(mode).save(buffer, kind, **save)
    return buffer.getvalue()


def classes(*names: str, per_class: int = 10, above: str = "") -> Files:
    """Images whose red level tells them apart, in the order they are listed."""
    places = [f"{above}{name}/{i:03d}.png" for name in names for i in range(per_class)]
    return {place: picture(level) for level, place in enumerate(places)}


def write_folder(root: Path, files: Mapping[str, bytes]) -> str:
    root.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return f"folder:{root}"


def write_zip(root: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(root / "data.zip", "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return f"zip:{root / 'data.zip'}"


Write = Callable[[Path, Mapping[str, bytes]], str]


@pytest.fixture(params=[write_folder, write_zip], ids=["folder", "zip"])
def write(request: pytest.FixtureRequest) -> Write:
    return request.param


def reds(dataset: Dataset) -> dict[str, list[int]]:
    return {
        part: sorted(getattr(dataset, part).images[:, 0, 8, 8].tolist()) for part in ("train", "validation", "test")
    }


def refusal(name: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            load_dataset(name)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_class_folders_become_a_data_set(write: Write, tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path / "set", classes("dog", "cat", "eel")))
    assert dataset.classes == ("cat", "dog", "eel")
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [21, 3, 6]
    assert sorted(chain(*reds(dataset).values())) == list(range(30))
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.images.shape[1:] == (3, 32, 32)
        for image, label in zip(split.images, split.labels.tolist(), strict=True):
            red = int(image[0, 0, 0])
            assert dataset.classes[label] == ("dog", "cat", "eel")[red // 10]
            assert (image[1] == red // 2).all()
            assert (image[2] == 7).all()


def test_a_folder_and_its_zip_are_the_same_data_set(tmp_path: Path) -> None:
    files = classes("a", "b", above="train/") | classes("a", "b", per_class=4, above="test/")
    one, other = load_dataset(write_folder(tmp_path / "set", files)), load_dataset(write_zip(tmp_path, files))
    for part in ("train", "validation", "test"):
        assert getattr(one, part).images.equal(getattr(other, part).images)
        assert getattr(one, part).labels.equal(getattr(other, part).labels)
    shuffled = dict(reversed(files.items()))
    assert reds(load_dataset(write_zip(tmp_path, shuffled))) == reds(one)


@pytest.mark.parametrize(
    ("folders", "sizes"),
    [
        ((), (14, 2, 4)),
        (("test",), (18, 2, 2)),
        (("val",), (16, 2, 4)),
        (("Testing", "Validation"), (20, 2, 2)),
        (("dev", "test"), (20, 2, 2)),
    ],
)
def test_splits_with_folders_of_their_own_are_theirs_and_the_rest_is_cut_from_train(
    write: Write, tmp_path: Path, folders: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    files = classes("a", "b", above="train/")
    expected = {}
    for folder in folders:
        level = 200 if folder.lower().startswith("test") else 220
        files |= {f"{folder}/a/1.png": picture(level), f"{folder}/b/1.png": picture(level + 1)}
        expected["test" if level == 200 else "validation"] = [level, level + 1]
    dataset = load_dataset(write(tmp_path / "set", files))
    found = reds(dataset)
    assert tuple(map(len, found.values())) == sizes
    assert {part: found[part] for part in expected} == expected
    assert sorted(chain(*found.values()))[:20] == list(range(20))
    assert dataset.reading is not None
    own = {part: said == "its own images" for part, said in dataset.reading["origins"].items()}
    assert own == {part: part in expected for part in ("validation", "test")}


@pytest.mark.parametrize("wrapping", ["", "my data/", "train/", "my data/train/"])
def test_wrapping_folders_and_clutter_are_looked_through(write: Write, tmp_path: Path, wrapping: str) -> None:
    files = classes("a", "b", above=wrapping)
    files |= {
        ".DS_Store": b"x",
        f"{wrapping}a/.hidden.png": b"x",
        f"{wrapping}a/notes.txt": b"x",
        f"{wrapping}README.md": b"x",
        f"{wrapping}cover.png": b"not looked at",
        f"__MACOSX/{wrapping}a/._000.png": b"x",
        ".git/x/y.png": b"x",
    }
    dataset = load_dataset(write(tmp_path / "set", files))
    assert dataset.classes == ("a", "b")
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 20


def test_train_may_be_a_class(write: Write, tmp_path: Path) -> None:
    assert load_dataset(write(tmp_path / "a", classes("bus", "train"))).classes == ("bus", "train")
    both = classes("bus", "train", above="train/") | classes("bus", "train", above="test/")
    assert load_dataset(write(tmp_path / "b", both)).classes == ("bus", "train")


def test_images_in_deeper_folders_belong_to_the_class_above(write: Write, tmp_path: Path) -> None:
    files = classes("a", "b") | {"a/more/deep/x.png": picture(250)}
    dataset = load_dataset(write(tmp_path / "set", files))
    assert 250 in chain(*reds(dataset).values())
    assert dataset.classes == ("a", "b")


def test_every_common_format_and_mode_is_read(write: Write, tmp_path: Path) -> None:
    files = classes("a", "b")
    wide = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 64
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    files |= {
        "a/1.JPG": picture(100, (300, 200), "JPEG"),
        "a/2.webp": picture(100, (16, 16), "WEBP", lossless=True),
        "a/3.bmp": picture(100, (64, 64), "BMP"),
        "a/4.gif": picture(100, (33, 31), "GIF"),
        "a/5.tiff": picture(100, (8, 90), "TIFF"),
        "a/6.ppm": picture(100, (5, 5), "PPM"),
        "a/7.png": picture(100, (40, 40), "PNG", "RGBA"),
        "a/8.png": picture(100, (40, 40), "PNG", "P", transparency=b"\x00\x80"),
        "a/9.png": picture(100, (40, 40), "PNG", "L"),
        "a/deep.png": buffer.getvalue(),
    }
    dataset = load_dataset(write(tmp_path / "set", files), image_size=32)
    levels = [image for split in (dataset.train, dataset.validation, dataset.test) for image in split.images]
    assert sum(96 <= int(image[0, 16, 16]) <= 104 for image in levels) == 8
    expected = (wide >> 8).astype(np.uint8)
    assert any((image[0].numpy() == expected).all() for image in levels)


def test_an_image_is_shrunk_smoothly_and_turned_upright(tmp_path: Path) -> None:
    fine = np.indices((128, 128)).sum(0) % 2 * 255
    buffer = io.BytesIO()
    Image.fromarray(fine.astype(np.uint8)).save(buffer, "PNG")
    left_black = np.zeros((32, 32), dtype=np.uint8)
    left_black[:, 16:] = 255
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise: the left side comes on top
    Image.fromarray(left_black).save(turned, "PNG", exif=exif)
    files = {f"a/{i}.png": buffer.getvalue() for i in range(6)} | {f"b/{i}.png": turned.getvalue() for i in range(6)}
    dataset = load_dataset(write_folder(tmp_path, files), image_size=32)
    for image, label in zip(dataset.train.images, dataset.train.labels, strict=True):
        if label == 0:
            assert (image.int() - 127).abs().max() <= 2
        else:
            assert image[:, :16].max() == 0
            assert image[:, 16:].min() == 255


def test_progress_is_told_while_reading(write: Write, tmp_path: Path) -> None:
    told: list[float] = []
    name = write(tmp_path / "set", classes("a", "b", per_class=130))
    load_dataset(name, progress=lambda _, share: told.append(share))
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] == 1.0


def bomb_png(width: int, height: int) -> bytes:
    """A PNG that only says how large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zipfile.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


UNUSABLE: dict[str, tuple[Files, str]] = {
    "nothing": ({}, "has no images in folders"),
    "no class folder": ({"1.png": picture(1), "2.png": picture(2)}, "has no images in folders"),
    "no image": ({"a/1.txt": b"x", "b/2.csv": b"y"}, "has no images in folders"),
    "one class": (classes("only"), "only one class, 'only'"),
    "one class above": (classes("only", above="train/"), "only one class, 'only'"),
    "few images": (classes("a", "b") | {"c/1.png": picture(1)}, "class 'c' has 1 training images"),
    "strange test class": (
        classes("a", "b", above="train/") | classes("a", "z", above="test/"),
        "test images of 'z', a class without training images",
    ),
    "empty test": (classes("a", "b", above="train/") | {"test/1.png": picture(1)}, "test/ has no folders of images"),
    "third folder": (
        classes("a", "b", above="train/") | classes("a", "b", above="test/") | classes("a", above="extra/"),
        "the folders extra, test, train; beside train/ there may be only val/ and test/",
    ),
    "no training folder": (
        classes("a", "b", above="val/") | classes("a", "b", above="test/"),
        "has test/, val/ and no train/ to learn from",
    ),
    "two of a kind": (
        classes("a", "b", above="train/") | classes("a", above="val/") | classes("a", above="valid/"),
        "has val/ and valid/, which are the same to us",
    ),
    "classes of one spelling": (classes("Cat", "cat", "dog"), "'Cat' and 'cat', which differ in case only"),
    "strange validation class": (
        classes("a", "b", above="train/") | classes("a", "z", above="val/"),
        "validation images of 'z', a class without training images",
    ),
    "many broken images": (
        classes("a", "b") | {f"b/bad{i}.png": b"<html>" for i in range(4)},
        "4 of 24 images can't be used, where at most 10% are left out; the first, b/bad0.png, is not a PNG, JPEG",
    ),
    "all broken": ({f"{label}/{i}.png": b"" for label in "ab" for i in range(6)}, "12 of 12 images can't be used"),
    "a split all broken": (
        classes("a", "b", above="train/") | {"val/a/1.png": b""},
        "has no validation images that can be read",
    ),
    "a class all broken": (
        classes("a", per_class=90) | {f"b/{i}.png": b"" for i in range(5)},
        "class 'b' has 0 training images that can be read",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_cannot_be_used_is_refused_in_one_sentence(write: Write, tmp_path: Path, case: str) -> None:
    files, message = UNUSABLE[case]
    name = write(tmp_path / "set", files)
    assert message in refusal(name)
    assert name in refusal(name)


BROKEN: dict[str, tuple[bytes, str]] = {
    "no image": (b"<html>", "not a PNG, JPEG"),
    "empty": (b"", "not a PNG, JPEG"),
    "cut short": (picture(9, (60, 60))[:-30], "cut short or damaged"),
    "another format": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a PNG, JPEG"),
    "a point": (picture(9, (1, 1)), "smaller than 4 pixels on a side"),
    "large": (bomb_png(8001, 8001), "more than 64,000,000 pixels"),
    "a bomb": (bomb_png(30_000, 30_000), "more than 64,000,000 pixels"),
    "a larger one": (bomb_png(60_000, 60_000), "more than 64,000,000 pixels"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_image_that_cannot_be_used_is_left_out_counted_and_said(write: Write, tmp_path: Path, case: str) -> None:
    content, reason = BROKEN[case]
    whole = load_dataset(write(tmp_path / "whole", classes("a", "b")))
    dataset = load_dataset(write(tmp_path / "set", classes("a", "b") | {"b/x.png": content}))
    assert sorted(chain(*reds(dataset).values())) == sorted(chain(*reds(whole).values())) == list(range(20))
    assert dataset.reading is not None
    [skipped] = dataset.reading["skipped"]
    assert skipped["reason"].startswith(reason)
    assert (skipped["count"], skipped["examples"][0][-7:]) == (1, "b/x.png")
    assert any(said.startswith("1 file left out: ") and said.endswith("b/x.png.") for said in dataset.remarks)


def test_too_many_or_too_large_files_are_refused(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write(tmp_path / "set", classes("a", "b"))
    monkeypatch.setattr(settings, "MAX_IMAGES", 15)
    assert "more than 15 images" in refusal(name)
    monkeypatch.setattr(settings, "MAX_IMAGES", 20)
    with monkeypatch.context() as tighter:
        tighter.setattr("bird_backend.datasets.sources._MAX_FILE_BYTES", 50)
        assert "which is larger than an image may be" in refusal(name)
    with monkeypatch.context() as tighter:
        tighter.setattr(settings, "MAX_FILES", 19)
        assert "holds more than 19 files" in refusal(name)
    load_dataset(name)


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    assert "no folder at" in refusal(f"folder:{tmp_path / 'none'}")
    assert "no zip file at" in refusal(f"zip:{tmp_path / 'none.zip'}")
    (tmp_path / "file").write_bytes(b"text")
    assert "no folder at" in refusal(f"folder:{tmp_path / 'file'}")
    assert "is not a zip file" in refusal(f"zip:{tmp_path / 'file'}")
    assert "no zip file at" in refusal(f"zip:{tmp_path}")


@pytest.mark.parametrize("target", ["../secret.png", "..", "absolute"])
def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.png").write_bytes(picture(1))
    name = write_folder(tmp_path / "set", classes("a", "b"))
    link = tmp_path / "set" / "a" / "link.png"
    link.symlink_to(tmp_path / "secret.png" if target == "absolute" else Path("..") / target)
    assert "is a link that leaves the folder" in refusal(name)


def test_links_inside_the_folder_are_files_but_not_folders(tmp_path: Path) -> None:
    name = write_folder(tmp_path / "set", classes("a", "b"))
    (tmp_path / "set" / "a" / "again.png").symlink_to("000.png")
    dataset = load_dataset(name)
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 21
    (tmp_path / "set" / "loop").symlink_to(".")
    assert "is a link to a folder" in refusal(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_left_alone(tmp_path: Path) -> None:
    name = write_folder(tmp_path / "set", classes("a", "b"))
    os.mkfifo(tmp_path / "set" / "a" / "pipe.png")
    assert len(load_dataset(name).classes) == 2


@pytest.mark.parametrize(
    "member",
    ["../evil.png", "a/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:\\evil.png", "a/..", "\\\\host\\x.png"],
)
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, member: str) -> None:
    name = write_zip(tmp_path, classes("a", "b") | {member: picture(1)})
    assert "a name that leaves the folder" in refusal(name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.zip"]


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    name = write_zip(tmp_path, classes("a", "b"))
    link = zipfile.ZipInfo("a/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "data.zip", "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "holds a link, 'a/link.png'" in refusal(name)


def patched_directory(path: Path, change: Callable[[bytearray], None]) -> None:
    """Change every entry of a zip's central directory."""
    data = bytearray(path.read_bytes())
    start = data.find(b"PK\x01\x02")
    while start >= 0:
        entry = data[start : start + 46]
        change(entry)
        data[start : start + 46] = entry
        start = data.find(b"PK\x01\x02", start + 46)
    path.write_bytes(bytes(data))


def test_an_encrypted_or_oddly_packed_zip_is_refused(tmp_path: Path) -> None:
    name = write_zip(tmp_path, classes("a", "b"))

    def encrypt(entry: bytearray) -> None:
        entry[8] |= 1

    patched_directory(tmp_path / "data.zip", encrypt)
    assert "is encrypted" in refusal(name)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "packed by a rare method" in refusal(write_zip(tmp_path, classes("a", "b"), method))


def test_a_damaged_member_is_left_out(tmp_path: Path) -> None:
    name = write_zip(tmp_path, classes("a", "b"), zipfile.ZIP_STORED)
    path = tmp_path / "data.zip"
    data = bytearray(path.read_bytes())
    data[data.find(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(bytes(data))
    [skipped] = (load_dataset(name).reading or {})["skipped"]
    assert (skipped["reason"], skipped["examples"]) == ("damaged in its zip", ["a/000.png"])
    path.write_bytes(bytes(data[: len(data) // 2]))
    assert "is not a zip file" in refusal(name)


@pytest.mark.parametrize("member", ["b/zeros.png", "b/zeros.bin"])
def test_a_zip_that_says_it_unpacks_to_ten_gigabytes_is_refused_unread(tmp_path: Path, member: str) -> None:
    zeros = {member.replace("zeros", f"zeros{i}"): bytes(1 << 20) for i in range(5)}
    name = write_zip(tmp_path, classes("a", "b") | zeros)

    def claim(entry: bytearray) -> None:
        if struct.unpack_from("<I", entry, 24)[0] == 1 << 20:
            struct.pack_into("<I", entry, 24, 1 << 31)

    patched_directory(tmp_path / "data.zip", claim)
    tracemalloc.start()
    message = refusal(name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "unpacks to more than 4 GiB" in message
    assert peak < 5 << 20


def test_a_zip_that_says_less_than_it_holds_is_read_no_further(tmp_path: Path) -> None:
    name = write_zip(tmp_path, classes("a", "b") | {"b/zeros.png": bytes(40 << 20)})

    def understate(entry: bytearray) -> None:
        if struct.unpack_from("<I", entry, 24)[0] == 40 << 20:
            struct.pack_into("<I", entry, 24, 100)

    patched_directory(tmp_path / "data.zip", understate)
    tracemalloc.start()
    [skipped] = (load_dataset(name).reading or {})["skipped"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (skipped["reason"], skipped["examples"]) == ("damaged in its zip", ["b/zeros.png"])
    assert peak < 5 << 20


def test_bytes_really_read_are_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write_zip(tmp_path, classes("a", "b"))
    monkeypatch.setattr("bird_backend.datasets.sources._Budget.declare", lambda self, size: None)
    monkeypatch.setattr(settings, "MAX_UNPACKED_BYTES", 1024)
    assert "unpacks to more than" in refusal(name)
