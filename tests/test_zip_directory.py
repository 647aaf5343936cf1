"""A zip's directory read by its bytes says what `zipfile` says."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bird_backend import settings
from bird_backend.datasets import load_dataset
from bird_backend.errors import InputError
from bird_backend.runs.fingerprints import data_fingerprint
from bird_backend.runs.zip_directory import members_in, read_members


def pack(path: Path, count: int, *, before: bytes = b"", comment: bytes = b"") -> Path:
    with path.open("wb") as file:
        file.write(before)
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = comment
            for index in range(count):
                archive.writestr(zipfile.ZipInfo(f"å/{index}.png"), bytes([index % 251]) * (index % 7))
    return path


@pytest.mark.parametrize(("count", "before"), [(0, b""), (1, b""), (40, b"#!/bin/sh\n"), (66_000, b"#!/bin/sh\n")])
def test_members_are_those_of_zipfile(tmp_path: Path, count: int, before: bytes) -> None:
    path = pack(tmp_path / "x.zip", count, before=before, comment=b"PK\x05 what a comment" * 9)
    with zipfile.ZipFile(path) as archive:
        expected = [(member.filename.encode(), member.CRC, member.file_size) for member in archive.infolist()]
    assert list(read_members(path)) == expected
    assert members_in(path) == count


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-30], lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x09", 1)]
)
def test_a_damaged_directory_is_no_directory(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = pack(tmp_path / "x.zip", 40)
    path.write_bytes(damage(path.read_bytes()))
    with contextlib.suppress(ValueError):
        assert list(read_members(path)) == []
    assert data_fingerprint(f"zip:{path}") == "missing"


def test_a_zip_or_folder_of_too_many_files_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "x.zip", 40)
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    for index in range(40):
        (tmp_path / "folder" / "deep" / f"{index}.txt").touch()
    monkeypatch.setattr(settings, "MAX_FILES", 39)
    for name in (f"zip:{path}", f"folder:{tmp_path / 'folder'}"):
        assert data_fingerprint(name, fresh=True) == "too many files"
        with pytest.raises(InputError, match=r"holds more than 39 files, the most that are listed\.$"):
            load_dataset(name)
