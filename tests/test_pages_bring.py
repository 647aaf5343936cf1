"""Bringing a weights file: recognised by a light run, said in words, and led on to what it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.backend import data
from app.backend.foreign import convert_document, plain_name
from bird_backend import settings
from bird_backend.runs.store import Run, RunStore
from tests.networks import finish_looking
from tests.pages import again, show, words
from tests.weights import assets_without_weights, write_weights

NAMED = "torchvision:resnet18"
DIGEST = "f" * 64
BROUGHT = {"part": "bring", "source": DIGEST, "file": "my net.pth"}
FOUND: dict[str, Any] = {
    "weights": "my-net",
    "model": NAMED,
    "also": [],
    "named": False,
    "published": None,
    "stem": "small",
    "image_size": 32,
    "classes": [str(digit) for digit in range(10)],
    "trained_on": "digits",
    "preprocessing": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "size": 32},
    "tensors": 122,
    "parameters": 1_000_000,
    "taken": "state_dict",
    "prefix": "module.",
    "offered": [],
    "remarks": ["the weights were taken from state_dict in the file"],
    "assumed": [
        {"said": "the size is not in the file", "fields": ["image_size"]},
        {"said": "it holds others too", "fields": ["part"]},
    ],
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def conversion() -> Run:
    [run] = RunStore().list(kind="convert")
    return run


def recognised() -> None:
    show("models", **BROUGHT)
    write_weights("my-net", model=NAMED, title="my net", clean_accuracy=None, robust_accuracy=None, n_test=0)
    RunStore().finish(conversion().id, "done", summary=FOUND)


def test_what_a_file_is_called_names_its_weights_and_is_no_path() -> None:
    document = convert_document(DIGEST, file="../../My best (net) é.pth")
    assert document == {"kind": "convert", "source": DIGEST, "save_as": "My-best-net", "title": "My best (net) é"}
    assert plain_name("…") == ""
    assert "save_as" not in convert_document(DIGEST, file="….pth")


def test_a_file_is_recognised_once_and_meanwhile_its_progress_shown() -> None:
    app = show("models", **BROUGHT)
    again(app)
    assert (conversion().spec.source, conversion().spec.save_as) == (DIGEST, "my-net")
    assert any("Recognising the weights" in element.text for element in app.get("progress"))


def test_what_it_holds_is_said_in_words_and_its_layers_shown() -> None:
    recognised()
    app = show("models", **BROUGHT)
    text = words(app)
    for part in (
        "It holds ResNet-18 (torchvision)",
        "`my-net`",
        "10 classes",
        "32 × 32 pixels",
        "0.485, 0.456, 0.406",
        "trained on Digits",
        "- The weights were taken from state\\_dict in the file.\n"
        "- The size is not in the file.\n"
        "- It holds others too.",
        "Where that is wrong, *Say more of it*, below, takes: Side of its images.",
    ):
        assert part in text, part
    [look] = RunStore().list(kind="examine")
    assert (look.spec.model.model, look.spec.model.weights) == (NAMED, "my-net")
    finish_looking(look)
    bodies = [element.proto.body for element in show("models", **BROUGHT).get("html")]
    [tree] = [body for body in bodies if 'class="layers"' in body]
    assert tree.count("<details>") == 4
    assert "stage2.2.conv" in tree


def test_its_accuracy_is_measured_by_a_job_and_found_again() -> None:
    recognised()
    app = show("models", **BROUGHT)
    assert app.selectbox("_measure_on").value == "digits"
    app.button("measure_accuracy").click()
    app.run()
    [asked] = RunStore().list(kind="evaluate")
    assert (asked.spec.data, asked.spec.model.weights, asked.spec.model.model) == ("digits", "my-net", NAMED)
    RunStore().finish(asked.id, "failed", reason="The disk is full.")
    assert "On Digits: The disk is full." in words(show("models", **BROUGHT))


def test_what_is_not_recognised_says_why_and_its_network_can_be_named() -> None:
    show("models", **BROUGHT)
    RunStore().finish(conversion().id, "failed", reason="The file fits no network that is known here.")
    app = show("models", **BROUGHT)
    assert any("fits no network" in error.value for error in app.error)
    app.selectbox("_brought_torchvision_listed").select("resnet18")
    app.selectbox("_say_norm").select("imagenet")
    again(app)
    app.button("convert_as").click()
    again(app)
    named = RunStore().list(kind="convert")[0].spec
    assert named.model == NAMED
    assert named.mean == (0.485, 0.456, 0.406)
    assert app.query_params["holds"] in (NAMED, [NAMED])
    failed = show("models", **BROUGHT)
    failed.button("convert_again").click()
    again(failed)
    assert len(RunStore().list(kind="convert")) == 3


def test_a_path_without_a_file_is_said_and_nothing_is_asked(tmp_path: Path) -> None:
    app = show("models", part="bring", source=str(tmp_path / "gone.pth"))
    assert any("There is no file" in error.value for error in app.error)
    assert RunStore().list() == []


def test_weights_that_were_deleted_since_can_be_made_again() -> None:
    recognised()
    (settings.checkpoints_dir() / "my-net.safetensors").unlink()
    app = show("models", **BROUGHT)
    assert any("no longer there" in warning.value for warning in app.warning)
    app.button("convert_again").click()
    again(app)
    assert len(RunStore().list(kind="convert")) == 2
