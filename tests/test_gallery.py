"""Galleries: a few pictures under every corruption and severity, and pictures that a person brings."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bird_backend import runs, settings
from bird_backend.cli import main
from bird_backend.corruptions import CORRUPTIONS
from bird_backend.corruptions.applying import corrupt
from bird_backend.datasets import load_dataset
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs.pictures import keep_picture, read_picture
from bird_backend.runs.reading import Gallery, read_gallery
from bird_backend.seeds import derive_seed


def draw(**fields: object) -> tuple[runs.Run, Gallery]:
    run = runs.RunStore().create(load_spec({"kind": "gallery", "device": "cpu", **fields}), state="running")
    perform(run.id, device="cpu")
    gallery = read_gallery(run.directory)
    assert gallery is not None
    return runs.RunStore().get(run.id), gallery


def png(size: tuple[int, int] = (64, 48)) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def check_corrupted(gallery: Gallery, seed: int) -> None:
    """Every cell is what `corrupt` makes of all the pictures together."""
    images = torch.from_numpy(gallery.images).permute(0, 3, 1, 2)
    for row, name in enumerate(gallery.conditions.tolist()):
        for severity in (1, 5):
            generator = torch.Generator().manual_seed(derive_seed(seed, f"{name} {severity}"))
            expected = corrupt(images, name, severity, generator=generator).permute(0, 2, 3, 1)
            np.testing.assert_array_equal(gallery.changed[:, row, severity - 1], expected)


def test_a_gallery_of_a_data_set(home: Path) -> None:
    run, gallery = draw(data="digits", count=13, seed=5)
    assert run.title == "Gallery of Digits"
    assert run.summary is not None and (run.summary["kind"], run.summary["n"]) == ("gallery", 13)
    assert gallery.conditions.tolist() == list(CORRUPTIONS)
    assert gallery.images.shape == (13, 32, 32, 3) and gallery.images.dtype == np.uint8
    assert gallery.changed.shape == (13, len(CORRUPTIONS), 5, 32, 32, 3)
    assert gallery.changed.dtype == np.uint8
    counts = np.bincount(gallery.labels, minlength=10)
    assert counts.max() - counts.min() == 1
    data = load_dataset("digits")
    assert gallery.classes.tolist() == list(data.classes)
    validation = {
        image.tobytes(): label
        for image, label in zip(
            data.validation.images.permute(0, 2, 3, 1).numpy(), data.validation.labels.tolist(), strict=True
        )
    }
    for image, label in zip(gallery.images, gallery.labels, strict=True):
        assert validation[image.tobytes()] == label
    check_corrupted(gallery, 5)
    same = runs.RunStore().find_same(run.spec)
    assert same is not None and same.id == run.id and same.state == "done"


def test_a_gallery_of_a_picture(home: Path) -> None:
    name = keep_picture(png())
    run, gallery = draw(picture=name)
    assert run.title == "Gallery of a picture"
    assert gallery.images.shape == (1, 64, 64, 3)
    assert (gallery.labels.tolist(), gallery.classes.tolist()) == ([-1], [])
    check_corrupted(gallery, 0)


def test_a_run_from_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "gallery.json").write_text(json.dumps({"kind": "gallery", "data": "digits", "count": 1}), "utf-8")
    assert main(["run", str(tmp_path / "gallery.json")]) == 0
    said = capsys.readouterr().out
    assert "A gallery of 1 images" in said
    assert "Severities have CIFAR-C's constants" in said


def test_pictures_are_kept_once_as_they_came(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = keep_picture(png())
    assert keep_picture(png()) == name
    assert len(name) == 64
    assert [path.name for path in settings.pictures_dir().iterdir()] == [name]
    assert read_picture(name) == png()
    with pytest.raises(InputError, match="empty file"):
        keep_picture(b"")
    monkeypatch.setattr(settings, "MAX_PICTURE_BYTES", 1_000_000)
    with pytest.raises(InputError, match=r"has 1\.1 MB; at most 1 MB are read"):
        keep_picture(b"x" * 1_100_000)
    with pytest.raises(InputError, match="bring it again"):
        read_picture("0" * 64)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"<svg/>", "not a PNG"), (png()[:200], "can't be used"), (None, "bring it again")],
)
def test_a_broken_picture_is_a_failed_run_with_one_sentence(home: Path, content: bytes | None, message: str) -> None:
    name = "0" * 64 if content is None else keep_picture(content)
    run = runs.RunStore().create(load_spec({"kind": "gallery", "picture": name}), state="running")
    with pytest.raises(InputError):
        perform(run.id, device="cpu")
    failed = runs.RunStore().get(run.id)
    assert failed.state == "failed" and failed.reason is not None
    assert message in failed.reason and "\n" not in failed.reason
