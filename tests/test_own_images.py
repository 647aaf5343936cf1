"""One's own images on the launch page: read before anything is ready, and what fits them is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.backend import data
from app.form.drafts import OWN
from bird_backend import settings
from bird_backend.jobs.process import perform
from bird_backend.runs.store import RunStore
from tests.pages import again, show, words
from tests.weights import assets_without_weights, write_demo_weights, write_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    write_demo_weights()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "animals"
    generator = np.random.default_rng(0)
    for label in ("ape", "bee", "cat"):
        (root / label).mkdir(parents=True)
        for index in range(60):
            pixels = generator.integers(0, 256, (24, 32 if index else 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / label / f"{index}.png")
    return root


def read(app: AppTest) -> AppTest:
    """The page once the run that it asked for is done."""
    [run] = RunStore().list(kind="inspect", states=("queued",))
    RunStore().claim(run.id)
    perform(run.id, device="cpu")
    return again(app)


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error)


def test_own_images_are_not_ready_until_their_classes_are_known(folder: Path) -> None:
    app = show("launch", data=OWN, path=str(folder))
    assert app.button("launch").disabled and "are being read" in errors(app)
    again(app)
    assert len(RunStore().list(kind="inspect")) == 1, "asked for once"

    read(app)
    text = words(app)
    assert "3 classes: ape, bee, cat. 130 for training, 14 for validation, 36 for testing." in text
    assert "180 of 180 are not square and are squashed." in text
    assert app.button("launch").disabled
    assert "tells 5 classes apart" in errors(app) and "has 3; choose one that was trained on" in errors(app)
    [offer] = [link.proto for link in app.main.get("page_link") if link.proto.label == "Train a student on this first"]
    query = dict(part.split("=", 1) for part in offer.query_string.split("&"))
    assert query["part"] == "train" and query["role"] == "pretrain"
    trainer = show("models", part="train", role="pretrain", on=OWN, folder=f"folder:{folder}")
    assert not trainer.button("train").disabled

    write_weights("animals", role="student", data=f"folder:{folder}", classes=["ape", "bee", "cat"])
    assert "these fit: animals" in errors(again(app))
    fitting = show("launch", data=OWN, path=str(folder), student="animals")
    assert not fitting.button("launch").disabled, errors(fitting)
    large = show("launch", data=OWN, path=str(folder), student="animals", batch="144")
    assert "larger than the 130 training images" in errors(large)


def test_images_that_can_not_be_used_say_why_and_can_be_read_again(folder: Path) -> None:
    for index in range(20):
        (folder / "ape" / f"{index}.png").write_bytes(b"nothing")
    app = show("launch", data=OWN, path=str(folder))
    [run] = RunStore().list(kind="inspect")
    RunStore().claim(run.id)
    with pytest.raises(data.BirdError):
        perform(run.id, device="cpu")
    again(app)
    assert "Your images can't be used: " in errors(app) and "20 of 180 images can't be used" in errors(app)
    app.button("read_again").click()
    again(app)
    assert [found.state for found in RunStore().list(kind="inspect")] == ["queued", "failed"]


@pytest.mark.parametrize("path", ["/" + "x" * 5000, "~nobody-here/x", "/a\0b"])
def test_paths_that_lead_nowhere_are_said(path: str) -> None:
    assert "There is nothing at" in errors(show("launch", data=OWN, path=path))
