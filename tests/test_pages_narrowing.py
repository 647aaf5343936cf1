"""Classes chosen in the forms: in the address, in the spec that is asked for, and in what pages say of the data."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from app.address.url_state import address
from app.backend import data
from app.components.data_choice import LAUNCH_KEYS, TRAINING_KEYS, parameters
from app.components.relaunch import demo_draft
from app.form.drafts import OWN, Draft
from app.form.estimates import estimate
from app.form.images import own_name, own_problem
from app.form.training import training_choices, training_document
from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.experiments import PretrainSpec, load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs.store import RunStore
from tests.pages import again, components, show, words
from tests.test_drafts import LAPTOP
from tests.weights import NETWORKS, assets_without_weights, write_demo_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def perform_inspection() -> None:
    [run] = RunStore().list(kind="inspect", states=("queued",))
    RunStore().claim(run.id)
    with suppress(InputError):
        perform(run.id, device="cpu")


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("fashion-mnist-small#0-1,7", {"data": "fashion-mnist-small", "classes": "0,1,7"}),
        ("zip:/a.zip#cat,dog", {"data": OWN, "path": "zip:/a.zip", "classes": "cat,dog"}),
        ("torchvision:MNIST#0-2", {"data": "torchvision:MNIST", "classes": "0,1,2"}),
        ("digits", {"data": "digits"}),
    ],
)
def test_a_narrowed_name_survives_the_way_through_the_forms(name: str, query: dict[str, str]) -> None:
    assert parameters(name, LAUNCH_KEYS) == query
    draft = Draft.of({**Draft(guiding="block1", guided="block2").document(NETWORKS), "data": name})
    assert draft.data_name == name
    assert Draft.of(draft.document(NETWORKS)) == draft
    choices = training_choices({"kind": "pretrain", "data": name, "model": {"model": "cnn-small"}})
    assert {key: choices[key] for key in ("on", "folder", "among")} == {
        "on": draft.data,
        "folder": draft.path,
        "among": draft.classes,
    }
    document = training_document(choices)
    assert document["data"] == name
    load_spec(document)


def test_a_bare_path_is_of_the_kind_that_its_file_is_whatever_classes_follow() -> None:
    assert own_name("/x/photos.zip#cat,dog") == "zip:/x/photos.zip#cat,dog"
    assert own_name("/x/photos#0-4") == "folder:/x/photos#0-4"
    assert own_problem("folder:/no/such#0-4") == "There is nothing at /no/such on the machine that runs this app."


def test_classes_are_chosen_for_a_transfer_and_forgotten_with_the_data_set() -> None:
    write_demo_weights()
    app = show("launch", classes="5-6,Bag")
    assert list(app.multiselect("classes").value) == ["5", "6", "8"]
    assert "Fashion-MNIST small, 3 of 10 classes: Sandal, Shirt, Bag. 3,240 for training" in words(app)
    assert any("tells 5 classes apart" in error.value and "has 3" in error.value for error in app.error)
    app.multiselect("classes").set_value(["5"])
    again(app)
    assert any("narrowed to one class" in error.value for error in app.error)
    app.multiselect("classes").set_value(list(map(str, range(10))))
    again(app)
    assert any("tells 5 classes apart" in error.value and "has 10" in error.value for error in app.error), (
        "all are the whole"
    )
    app.selectbox("data").set_value("digits")
    again(app)
    assert not app.multiselect("classes").value and "classes" not in app.query_params


def test_classes_are_chosen_for_a_network_that_is_trained_and_name_it() -> None:
    app = show("models", part="train", role="pretrain", on="fashion-mnist-small", among="0,1,2,3,4")
    app.button("train").click()
    app.run()
    [run] = RunStore().list(kind="pretrain")
    spec = run.spec
    assert isinstance(spec, PretrainSpec) and spec.data == "fashion-mnist-small#0-4"
    assert spec.save_as is not None and spec.save_as.startswith("fashion-mnist-small-0-4-")
    whole = spec.model_copy(update={"data": "fashion-mnist-small"})
    assert estimate(spec, [], LAPTOP).seconds < estimate(whole, [], LAPTOP).seconds


def test_some_classes_of_ones_own_images_are_looked_at_and_chosen(tmp_path: Path) -> None:
    for place, label in enumerate(("ape", "bee", "cat")):
        (tmp_path / "animals" / label).mkdir(parents=True)
        for index in range(10 + place):
            Image.new("RGB", (32, 32), (80 * place, 10 * index, 99)).save(tmp_path / "animals" / label / f"{index}.png")
    name = f"folder:{tmp_path / 'animals'}"
    show("images", data=f"{name}#cat,ape")
    perform_inspection()
    app = show("images", data=f"{name}#cat,ape")
    assert "Classes 2" in words(app) and "Images 22" in words(app)
    sheet = components(app)["bird_contact_sheet"]["classes"]
    assert [each["name"] for each in sheet] == ["ape", "cat"]  # type: ignore[attr-defined]
    query = parameters(name, TRAINING_KEYS) | {"part": "train", "role": "pretrain", "among": "ape,cat"}
    show("models", **query)
    perform_inspection()
    app = show("models", **query)
    assert list(app.multiselect("among").value) == ["0", "2"], "known by their places once the images are read"
    assert not app.button("train").disabled
    app = show("models", **(query | {"among": "ape,cow"}))
    assert any("Unknown class of animals 'cow'" in error.value for error in app.error)


def test_a_data_set_narrowed_by_its_name_is_looked_at_and_what_can_not_be_is_said() -> None:
    show("images", data="digits#3,1,2")
    [run] = RunStore().list(kind="inspect")
    assert getattr(run.spec, "data", None) == "digits#1-3"
    for asked in ("digits#1", "digits#9-11", "#1-3"):
        assert any("There is no data set" in warning.value for warning in show("images", data=asked).warning)


def test_a_launch_address_of_classes_opens_that_draft() -> None:
    write_demo_weights()
    draft = demo_draft()
    app = show("launch", **address({**draft.choices(), "classes": ("8", "9")}, draft.choices()))
    assert app.session_state["classes"] == ["8", "9"]
