"""A network by its source in the form: looked at as soon as it is named, then like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
from streamlit.testing.v1 import AppTest

from app.address.url_state import address
from app.backend import data
from app.backend.named_networks import SOURCES, offered_sources
from app.backend.weights import RANDOM
from app.components.relaunch import demo_draft
from app.form.drafts import Draft, defaults
from app.form.layer_levels import STAGES
from bird_backend import settings
from bird_backend.experiments import load_spec
from bird_backend.runs.store import Run, RunStore
from tests.networks import finish_looking
from tests.pages import again, show, words
from tests.weights import NETWORKS, assets_without_weights, write_demo_weights, write_weights

NAMED = "torchvision:resnet18"
TEACHER = f"{RANDOM}{NAMED}"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    write_demo_weights()


def looks() -> list[Run]:
    return RunStore().list(kind="examine")


def looked_at(**query: str) -> AppTest:
    show("launch", teacher=TEACHER, **query)
    for run in looks():
        finish_looking(run)
    return show("launch", teacher=TEACHER, **query)


def test_a_network_is_looked_at_once_as_soon_as_it_is_named() -> None:
    app = show("launch", teacher=TEACHER)
    again(app)
    [run] = looks()
    assert (run.spec.model.model, run.spec.image_size) == (NAMED, 32)
    assert any("Looking at the network" in element.text for element in app.get("progress"))
    assert app.button("launch").disabled
    assert any("being looked at" in info.value for info in app.info)
    assert not app.error


def test_its_layers_are_listed_by_stages_and_opened_on_request() -> None:
    app = looked_at()
    assert app.button("launch").disabled is False
    assert "1,234,567 parameters; 40 million multiply-adds" in words(app)
    assert "depends on the others in the batch" in words(app)
    guiding = app.selectbox("guiding")
    assert [option.split(" · ")[0] for option in guiding.options] == ["stem", "stage1.2", "stage2.2"]
    assert "Block · 16 × 16 × 16" in guiding.options[1]
    app.session_state["_guiding_level"] = "all {}"
    again(app)
    options = app.selectbox("guiding").options
    assert len(options) == 15
    assert any("runs 2 times" in option for option in options)
    assert "the classifier" in options[-1]


def test_a_layer_in_the_address_opens_the_list_that_has_it_and_is_launched() -> None:
    app = looked_at(guiding="stage1.1.conv", more="stage2.2 → block2")
    assert app.session_state["_guiding_level"] == "all {}"
    assert app.multiselect("more").value == ["stage2.2 → block2"]
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert launched.spec.teacher.model == NAMED
    assert [pair.teacher for pair in launched.spec.method.pairs] == ["stage1.1.conv", "stage2.2"]


def test_a_look_that_failed_says_why_and_can_be_had_again() -> None:
    show("launch", teacher=TEACHER)
    [run] = looks()
    RunStore().finish(run.id, "failed", reason="resnet18 can't take such images.")
    app = show("launch", teacher=TEACHER)
    assert any("can't take such images" in error.value for error in app.error)
    assert app.button("launch").disabled
    app.button("teacher_look_again").click()
    again(app)
    assert len(looks()) == 2


def test_a_network_that_is_not_there_is_said_and_not_looked_at(tmp_path: Path) -> None:
    gone = f"{RANDOM}file:{tmp_path / 'gone.py'}:make"
    app = show("launch", student=gone)
    assert app.selectbox("student").value == gone
    assert any("There is no file" in error.value for error in app.error)
    assert looks() == []


def test_a_draft_with_networks_by_source_survives_document_spec_and_address() -> None:
    draft = Draft(teacher=TEACHER, student=f"{RANDOM}file:/a/net.py:make", guiding="layer1", guided="body.0")
    for each in (draft, draft.with_method("fine-tuning")):
        document = each.document(NETWORKS)
        assert document["teacher"] == {"model": NAMED}
        assert document["student"] == {"model": "file:/a/net.py:make"}
        assert Draft.of(load_spec(document).model_dump(mode="json")) == Draft.of(document)
        assert (Draft.of(document).guiding, Draft.of(document).further) == ("layer1", "")
        app = show("launch", **address(each.choices(), defaults(demo_draft(), data=each.data, method=each.method)))
        assert app.session_state["teacher"] == TEACHER


def test_any_network_can_be_named_and_taken_with_weights_that_fit_it() -> None:
    write_weights("mine", model=NAMED)
    app = show("launch")
    app.session_state["_teacher_naming"] = True
    again(app)
    app.selectbox("_teacher_torchvision_family").select("ResNet")
    again(app)
    assert [option.split(" · ")[-1] for option in app.selectbox("_teacher_torchvision_listed").options][
        -1
    ] == "resnet50"
    app.selectbox("_teacher_torchvision_listed").select("resnet18")
    again(app)
    assert app.selectbox("_teacher_weights").value == "mine"
    app.selectbox("_teacher_weights").select(TEACHER)
    again(app)
    app.button("teacher_take").click()
    again(app)
    assert app.selectbox("teacher").value == TEACHER
    assert app.session_state["_teacher_naming"] is False


def test_code_of_ones_own_is_offered_where_its_owner_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    app = show("launch")
    app.session_state["_student_naming"] = True
    again(app)
    assert {"torchvision", "file", "module"} <= set(offered_sources())
    assert "has not allowed that" not in words(app)
    monkeypatch.setenv("BIRD_NETWORKS", "")
    again(app)
    assert {"file", "module"}.isdisjoint(offered_sources())
    assert "has not allowed that" in words(app)


def test_timms_networks_are_read_in_its_code_and_offered_in_a_list() -> None:
    names = SOURCES["timm"].names()
    assert set(names) == set(timm.list_models())
    app = show("launch")
    app.session_state["_teacher_naming"] = True
    again(app)
    app.session_state["_teacher_source"] = "timm"
    again(app)
    app.selectbox("_teacher_timm_listed").select("convnext_atto")
    again(app)
    app.button("teacher_take").click()
    again(app)
    assert app.selectbox("teacher").value == "random:timm:convnext_atto"


def test_how_finely_one_network_was_listed_says_nothing_of_the_next() -> None:
    write_weights("mine", model=NAMED)
    show("launch", teacher="mine")
    finish_looking(looks()[0])
    app = show("launch")
    assert "As it stands, this is the demo." in words(app)
    assert "_guiding_level" in app.session_state, "of the demo's few layers there is one list"
    app.selectbox("teacher").select("mine")
    again(app)
    assert app.session_state["_guiding_level"] == STAGES
    assert "As it stands, this is the demo." not in words(app)
