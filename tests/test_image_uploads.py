"""Images that were brought: kept by their digest, called by a plain title, read like any zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bird_backend import catalog, settings
from bird_backend.datasets import load_dataset
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec
from bird_backend.runs.checks import check_data
from bird_backend.runs.fingerprints import MISSING, data_fingerprint
from bird_backend.runs.image_cache import list_cached
from bird_backend.runs.uploads import find_upload, keep_upload, upload_name
from tests.synthetic import transfer_document


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))


def zipped(side: int = 24, classes: tuple[str, ...] = ("ape", "bee")) -> bytes:
    """A zip of 20 images a class; the same bytes at every call, so no member is dated by the clock."""
    held, generator = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(held, "w") as archive:
        for label in classes:
            for index in range(20):
                picture = io.BytesIO()
                Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(picture, "PNG")
                archive.writestr(zipfile.ZipInfo(f"{label}/{index}.png"), picture.getvalue())
    return held.getvalue()


def brought(content: bytes, title: str = "animals.zip") -> str:
    return upload_name(keep_upload(io.BytesIO(content)), title)


def test_a_zip_that_was_brought_is_a_data_set_of_its_title() -> None:
    name = brought(zipped())
    spec = load_spec({**transfer_document(), "data": name})
    check_data(spec)  # type: ignore[arg-type]
    assert catalog.title_of(name) == "animals.zip"
    dataset = load_dataset(name)
    assert (dataset.name, dataset.classes, dataset.image_size) == (name, ("ape", "bee"), 24)
    assert [entry.name for entry in list_cached()] == [name]
    assert brought(zipped(), "the same.zip").split("/")[0] == name.split("/")[0], "kept once"
    assert data_fingerprint(name) == data_fingerprint(brought(zipped(), "the same.zip"))
    assert data_fingerprint(name) != data_fingerprint(brought(zipped(side=16)))


def test_arrays_that_were_brought_are_known_by_what_they_are() -> None:
    held, generator = io.BytesIO(), np.random.default_rng(0)
    np.savez(held, x=generator.integers(0, 256, (60, 16, 16), dtype=np.uint8), y=np.arange(60) % 3)
    name = brought(held.getvalue(), "arrays.zip")
    assert len(load_dataset(name).classes) == 3
    assert [entry.name for entry in list_cached()] == [name]


def test_what_is_wrong_with_it_is_told_by_its_title() -> None:
    for content in (b"no zip at all", zipped(classes=("ape",))):
        name = brought(content)
        with pytest.raises(InputError, match=r"animals\.zip") as raised:
            load_dataset(name)
        assert str(settings.home()) not in str(raised.value) and "upload:" not in str(raised.value)


def test_what_is_gone_is_said() -> None:
    name = brought(zipped())
    find_upload(name.partition(":")[2].partition("/")[0]).unlink()
    assert data_fingerprint(name) == MISSING
    with pytest.raises(InputError, match="bring it again"):
        load_dataset(name)
    with pytest.raises(InputError, match="bring it again"):
        check_data(load_spec({**transfer_document(), "data": name}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("a.zip", "a.zip"),
        ("../../etc/passwd", "passwd"),
        ("C:\\me\\é b.zip", "é b.zip"),
        ("a\0\nb.zip", "ab.zip"),
        ("..", ".."),
        ("", "images"),
        ("x" * 500, "x" * 80),
    ],
)
def test_a_file_s_name_is_a_plain_title_and_never_a_path(said: str, title: str) -> None:
    digest = "0" * 64
    assert upload_name(digest, said) == f"upload:{digest}/{title}"
    assert catalog.title_of(upload_name(digest, said)) == title
