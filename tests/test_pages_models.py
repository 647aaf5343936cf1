"""The models page: what there is, where it came from, and training more."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backend import data
from bird_backend import catalog, settings
from bird_backend.runs.store import RunStore
from tests.networks import finish_looking
from tests.pages import show, words
from tests.weights import NETWORK, assets_without_weights, write_demo_weights, write_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def test_models_of_an_empty_home_say_what_to_do() -> None:
    assert any("no weights yet" in info.value for info in show("models").info)


def test_models_show_provenance_and_broken_files_with_their_reason() -> None:
    write_demo_weights()
    (settings.checkpoints_dir() / "old.safetensors").write_bytes(b"\x80\x04rest")
    (settings.checkpoints_dir() / "digits-robust-teacher.pth").write_bytes(b"PK\x03\x04")
    app = show("models")
    assert any("digits-robust-teacher.pth is no .safetensors file" in warning.value for warning in app.warning)
    text = words(app)
    assert "Robust digits teacher" in text
    assert "digits-robust-teacher" in text
    assert any("pickle" in warning.value for warning in app.warning)
    assert {metric.value for metric in app.metric} == {"97.0 %", "87.0 %"}


def test_many_teachers_are_a_table_of_which_the_address_names_one() -> None:
    write_demo_weights()
    for number in range(30):
        write_weights(f"zoo-{number:02}", title=f"Teacher {number}", clean_accuracy=number / 100)
    app = show("models")
    assert "31 of them" in words(app) and "**Teacher 0**" in words(app), "the first is open"
    assert list(app.dataframe[0].value["Name"])[:2] == ["zoo-00", "zoo-01"]
    app = show("models", teacher="zoo-17")
    assert "**Teacher 17**" in words(app) and "**Teacher 16**" not in words(app)
    assert "**Fashion student**" in words(app), "of students there are few"
    assert {metric.value for metric in app.metric} >= {"17.0 %"}


def test_networks_list_their_layers_with_shapes() -> None:
    app = show("models", part="networks", network=NETWORK)
    layers = app.dataframe[1].value
    assert list(layers["Layer"]) == [layer.name for layer in catalog.find_model(NETWORK).layers]


@pytest.mark.parametrize("role", ["robustify", "pretrain"])
def test_training_from_the_models_page_queues_what_the_form_says(role: str) -> None:
    app = show("models", part="train", role=role, rounds="3")
    app.button("train").click()
    app.run()
    [queued] = RunStore().list()
    spec = queued.spec
    assert (spec.kind, spec.training.epochs, spec.data, spec.model.model) == (role, 3, "digits", NETWORK)
    assert spec.save_as


def test_training_form_says_what_is_wrong() -> None:
    app = show("models", part="train", on="own")
    assert app.button("train").disabled
    assert any("Say where" in error.value for error in app.error)
    app = show("models", part="train", name="a/b")
    assert app.button("train").disabled
    assert any("save_as" in error.value for error in app.error)


def test_any_other_network_can_be_looked_into_and_trained() -> None:
    named = "torchvision:resnet18"
    show("models", part="networks", network=named)
    [look] = RunStore().list(kind="examine")
    finish_looking(look)
    app = show("models", part="networks", network=named)
    assert "1,234,567 parameters" in words(app)
    assert any('class="layers"' in element.proto.body for element in app.get("html"))
    app = show("models", part="train", net=named, role="pretrain")
    app.button("train").click()
    app.run()
    [queued] = RunStore().list(kind="pretrain")
    assert (queued.spec.model.model, queued.spec.save_as) == (named, "digits-resnet18-student")
