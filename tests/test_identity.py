"""A result is used again only if the spec, the weights, the data and the code are the same."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bird_backend import settings
from bird_backend.experiments import load_spec
from bird_backend.runs import fingerprints
from bird_backend.runs.fingerprints import data_fingerprint
from bird_backend.runs.identity import code_version, identify


@pytest.fixture(autouse=True)
def _look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is a new one, as it is for somebody who comes back after a few seconds."""
    moments = iter(range(0, 10**8, 1000))
    monkeypatch.setattr(fingerprints, "_now", lambda: next(moments))


def picture(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), shade, dtype=np.uint8)).save(path)


def weights_in_home(name: str, content: bytes) -> None:
    folder = settings.checkpoints_dir()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(content)


def test_the_same_is_the_same_whatever_its_title(transfer_document: dict[str, Any]) -> None:
    one, other = (identify(load_spec(transfer_document | {"title": title})) for title in ("", "mine"))
    assert one == other
    assert one.digest == other.digest
    assert identify(load_spec(transfer_document | {"seed": 1})).digest != one.digest


def test_weights_made_anew_under_their_name_are_others(transfer_document: dict[str, Any]) -> None:
    transfer_document["teacher"]["weights"] = "mine"
    missing = identify(load_spec(transfer_document))
    weights_in_home("mine", b"first")
    first = identify(load_spec(transfer_document))
    weights_in_home("mine", b"other")
    other = identify(load_spec(transfer_document))
    assert len({missing.digest, first.digest, other.digest}) == 3
    assert [name for name, _ in other.weights] == ["mine"]
    weights_in_home("mine", b"first")
    assert identify(load_spec(transfer_document)) == first


def test_images_changed_in_a_folder_are_other_data(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    assert data_fingerprint(f"folder:{folder}") == "missing"
    picture(folder / "cats" / "1.png", 10)
    before = data_fingerprint(f"folder:{folder}")
    assert data_fingerprint(f"folder:{folder}") == before
    picture(folder / "cats" / "2.png", 10)
    more = data_fingerprint(f"folder:{folder}")
    (folder / "cats" / "2.png").unlink()
    assert before not in (more, "missing")
    assert data_fingerprint(f"folder:{folder}") == before
    os.utime(folder / "cats" / "1.png", ns=(1, 1))  # written again in place, with as many bytes
    assert data_fingerprint(f"folder:{folder}") != before


def test_a_table_and_arrays_are_known_by_their_files_too(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "1.png", 10)
    table = tmp_path / "set" / "labels.csv"
    table.write_text("path,label\n1.png,a\n")
    before = data_fingerprint(f"csv:{table}")
    assert before not in ("missing", data_fingerprint(f"csv:{tmp_path / 'set' / 'other.csv'}"))
    table.write_text("path,label\n1.png,other\n")
    with_other_labels = data_fingerprint(f"csv:{table}")
    picture(tmp_path / "set" / "2.png", 10)
    assert len({before, with_other_labels, data_fingerprint(f"csv:{table}")}) == 3
    packed = tmp_path / "set.npz"
    assert data_fingerprint(f"arrays:{packed}") == "missing"
    np.savez(packed, images=np.zeros(3))
    first = data_fingerprint(f"arrays:{packed}")
    np.savez(packed, images=np.zeros(4))
    assert len({"missing", first, data_fingerprint(f"arrays:{packed}")}) == 3
    assert data_fingerprint("torchvision:MNIST") == "torchvision:MNIST"


def test_a_zip_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    def pack(name: str, content: bytes) -> str:
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr("cats/1.png", content)
        return data_fingerprint(f"zip:{tmp_path / name}")

    assert pack("one.zip", b"same") == pack("copy.zip", b"same")
    assert pack("one.zip", b"other") != data_fingerprint(f"zip:{tmp_path / 'copy.zip'}")
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    assert data_fingerprint(f"zip:{tmp_path / 'broken.zip'}") == "missing"


def test_folders_that_a_spec_reads_count(transfer_document: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "corrupted"
    transfer_document["behaviour"]["corrupted_dir"] = str(folder)
    missing = identify(load_spec(transfer_document))
    folder.mkdir()
    (folder / "contrast.npy").write_bytes(b"images")
    assert identify(load_spec(transfer_document)).digest != missing.digest


def test_the_code_is_named_by_its_commit_and_by_changes_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version() -> str:
        code_version.cache_clear()
        return code_version()

    package = tmp_path / "checkout" / "bird_backend"
    package.mkdir(parents=True)
    monkeypatch.setattr("bird_backend.__file__", str(package / "__init__.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    try:
        assert version() == "0.1.0"
        (package / "__init__.py").write_text("first")
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
            git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *command]
            subprocess.run(git, cwd=tmp_path / "checkout", check=True)
        clean = version()
        (tmp_path / "checkout" / "README").write_text("nothing that a result depends on")
        assert version() == clean
        (package / "__init__.py").write_text("second")
        changed = version()
        (package / "__init__.py").write_text("third")
        assert clean.startswith("0.1.0+g")
        assert len({clean, changed, version()}) == 3
    finally:
        code_version.cache_clear()
