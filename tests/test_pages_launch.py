"""The launch page: what it says before anything is queued, what it queues, and what of it is in the address."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.address.url_state import address
from app.backend import data
from app.backend.weights import RANDOM
from app.components.relaunch import demo_draft
from app.form.drafts import OWN, Draft
from bird_backend import catalog, settings
from bird_backend.experiments import load_spec, spec_hash
from bird_backend.runs.store import RunStore
from bird_backend.transfer import METHODS
from tests import synthetic
from tests.pages import again, show, words
from tests.weights import DATA, FASHION, STUDENT, TEACHER, assets_without_weights, write_demo_weights, write_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def asked(app: AppTest) -> dict[str, str]:
    """The query string as the page left it."""
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


def test_launch_as_it_stands_is_the_demo() -> None:
    write_demo_weights()
    app = show("launch")
    assert not app.button("launch").disabled
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert launched.depends_on["spec"] == spec_hash(load_spec(data.demo_document()))


def test_launch_measures_the_layers_of_small_networks_by_itself_and_draws_them() -> None:
    write_demo_weights()
    show("launch")
    [run] = RunStore().list(kind="analyze")
    assert any("Measuring" in element.text for element in _progress(show("launch")))
    synthetic.write_layer_map(run)
    app = show("launch")
    assert any("debiased" in caption.value and "512" in caption.value for caption in app.caption)
    assert len(RunStore().list(kind="analyze")) == 1


def test_launch_does_not_measure_while_something_runs_but_offers_to() -> None:
    write_demo_weights()
    synthetic.write_transfer("running", fraction=0.4)
    app = show("launch")
    assert RunStore().list(kind="analyze") == []
    app.button("measure").click()
    again(app)
    assert len(RunStore().list(kind="analyze")) == 1


def test_a_layer_map_that_failed_says_why_and_can_be_measured_again() -> None:
    write_demo_weights()
    show("launch")
    [run_] = RunStore().list(kind="analyze")
    RunStore().finish(run_.id, "failed", reason="The disk is full.")
    app = show("launch")
    assert any("The disk is full." in warning.value for warning in app.warning)
    app.button("measure").click()
    again(app)
    assert len(RunStore().list(kind="analyze")) == 2


def test_choices_are_in_the_url_and_come_back_from_it() -> None:
    write_demo_weights()
    app = show("launch")
    app.selectbox("guiding").select("block3")
    again(app)
    app.number_input("epochs").set_value(7)
    again(app)
    assert asked(app) == {"guiding": "block3", "epochs": "7"}
    back = show("launch", guiding="block3", epochs="7")
    assert back.selectbox("guiding").value == "block3"
    assert back.number_input("epochs").value == 7


def test_going_back_in_the_browser_brings_the_choices_back() -> None:
    write_demo_weights()
    app = show("launch")
    app.number_input("epochs").set_value(7)
    again(app)
    again(app)  # the browser is there
    app.query_params.clear()
    again(app)
    assert app.number_input("epochs").value == data.demo_document()["training"]["epochs"]


@pytest.mark.parametrize(
    "query",
    [
        {"teacher": "no-such", "data": "nothing", "method": "magic", "guided": "layer99"},
        {"epochs": "many", "lr": "nan", "seed": "9" * 30, "beta": "inf", "baseline": "perhaps"},
        {
            "conditions": "rain,,gaussian_blur",
            "strengths": "1,x",
            "behaviour": "patience",
            "device": "tpu",
            "kernel": "cubic",
        },
        {"strengths": "9", "alpha": "", "title": "<script>alert(1)</script>", "path": "../../etc"},
    ],
)
def test_a_garbled_address_still_shows_the_page(query: dict[str, str]) -> None:
    write_demo_weights()
    show("launch", **query)


def test_a_teacher_that_is_gone_is_said() -> None:
    write_demo_weights()
    assert "There is no teacher named no-such" in words(show("launch", teacher="no-such"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"beta": "-1"}, "method.beta"),
        ({"batch": "5000000"}, "training.batch_size"),
        ({"batch": "8000", "data": "digits"}, f"larger than the {catalog.DATASETS['digits'].train:,} training images"),
        ({"data": OWN}, "Say where your images are"),
        ({"data": OWN, "path": "/no/such/place"}, "nothing at /no/such/place"),
        ({"strengths": ""}, "at least one"),
        ({"conditions": ""}, "at least one corruption"),
        ({"save": "../evil"}, "save_as"),
        ({"alpha": "0", "beta": "0"}, "nothing to minimise"),
    ],
)
def test_what_is_wrong_is_said_beside_a_button_that_can_not_be_pressed(query: dict[str, str], sentence: str) -> None:
    write_demo_weights()
    app = show("launch", **query)
    assert app.button("launch").disabled
    assert any(sentence in error.value for error in app.error), [error.value for error in app.error]


def test_a_student_of_other_classes_is_refused() -> None:
    write_weights(TEACHER)
    write_weights("three", role="student", data="digits", classes=["a", "b", "c"])
    app = show("launch", student="three")
    assert any("tells 3 classes apart" in error.value for error in app.error)


def test_the_demos_button_says_as_many_epochs_as_the_demo_has() -> None:
    [demo] = [button for button in show("launch").button if button.label == "The demo"]
    epochs = load_spec(data.demo_document()).training.epochs  # type: ignore[union-attr]
    assert f"{epochs} short epochs" in demo.help


def test_a_list_of_starts_does_not_call_random_weights_the_students_own() -> None:
    write_demo_weights()
    app = show("launch", method="lp-ft", student=f"{RANDOM}resnet-narrow")
    assert not any("own weights" in option for option in app.selectbox("start").options)


def test_presets_fill_the_form() -> None:
    write_demo_weights()
    app = show("launch")
    next(button for button in app.button if button.label == "Fine-tuning only").click()
    again(app)
    assert asked(app)["method"] == "fine-tuning"
    assert "Guiding" not in "".join(box.label for box in app.selectbox)
    next(button for button in app.button if button.label == "The demo").click()
    again(app)
    assert asked(app) == {}


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_can_be_chosen_and_launched(method: str) -> None:
    write_demo_weights()
    if METHODS[method].needs_same_classes:
        write_weights("fashion-teacher", data=DATA, classes=list(FASHION))
    teacher = {"teacher": "fashion-teacher"} if METHODS[method].needs_same_classes else {}
    app = show("launch", method=method, **teacher)
    assert METHODS[method].caption in str(app.radio("method").proto.captions)
    shown = {element.key for kind in ("selectbox", "number_input") for element in app.main.get(kind)}
    assert ("guiding" in shown) == METHODS[method].matches_layers
    assert ("start" in shown) == METHODS[method].may_start_from_teacher
    assert ("control" in shown) == METHODS[method].needs_teacher
    assert not app.button("launch").disabled, [error.value for error in app.error]
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert launched.spec.method.name == method


def test_another_method_brings_its_own_weights_along() -> None:
    write_demo_weights()
    app = show("launch")
    app.number_input("beta").set_value(0.25)
    again(app)
    app.radio("method").set_value("sp")
    again(app)
    assert app.number_input("beta").value == 3000
    assert asked(app) == {"method": "sp"}
    app.radio("method").set_value("bird")
    again(app)
    assert app.number_input("beta").value == data.demo_document()["method"]["beta"]


def test_another_kind_of_method_starts_with_its_first() -> None:
    write_demo_weights()
    app = show("launch")
    next(group for group in app.main.get("button_group") if group.key == "_family").set_value("Go on from weights")
    again(app)
    assert app.radio("method").value == "fine-tuning"
    assert "Training begins with the student's own weights." in words(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"method": "lp-ft"}, "begins with the teacher's weights and a new head"),
        (
            {"method": "lp-ft", "teacher": "small"},
            "The architectures differ (Small CNN, Narrow ResNet), so the student's",
        ),
        ({"method": "linear-probe", "teacher": "small"}, "own weights are probed instead of the teacher's"),
        ({"method": "none"}, "Nothing is trained"),
        ({"student": f"{RANDOM}resnet-narrow"}, "Training begins with random weights."),
        ({"method": "lp-ft", "student": f"{RANDOM}cnn-small"}, "so random weights are fine-tuned instead"),
        ({"method": "lp-ft", "teacher": f"{RANDOM}resnet-narrow"}, "begins with the teacher's random weights and"),
        ({"control": "random-weights"}, "This is a control: a teacher with random weights. The teacher's architecture"),
        ({"control": "shuffled-batch"}, "This is a control: a teacher that looks at other images."),
    ],
)
def test_what_will_be_done_is_said_before_it_is(query: dict[str, str], sentence: str) -> None:
    write_demo_weights()
    write_weights("small", model="cnn-small")
    app = show("launch", **query)
    said = words(app) + " ".join(info.value for info in app.info)
    assert sentence in said


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"method": "soft-labels"}, "classes"),
        (
            {"method": "lp-ft", "start": "teacher", "teacher": "small"},
            "Starting from the teacher needs one architecture",
        ),
        ({"method": "hints", "pooling": "flatten", "guided": "pool"}, "A projection between"),
        ({"method": "rkd", "batch": "1024"}, "RKD compares every three images"),
        ({"teacher": STUDENT}, "the same network with the same weights"),
    ],
)
def test_what_a_method_can_not_do_is_one_sentence_before_it_is_queued(query: dict[str, str], sentence: str) -> None:
    write_demo_weights()
    write_weights("small", model="cnn-small")
    app = show("launch", **query)
    assert app.button("launch").disabled
    errors = [error.value for error in app.error]
    assert any(sentence in error for error in errors), errors


def test_the_form_opens_with_a_runs_own_choices() -> None:
    write_demo_weights()
    draft = replace(demo_draft(), epochs=9, strengths=(1, 3), baseline=False, lr=0.0125)
    query = address(draft.choices(), demo_draft().choices())
    assert query == {"epochs": "9", "strengths": "1,3", "baseline": "no", "lr": "0.0125"}
    app = show("launch", **query)
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert Draft.of(launched.directory.read_spec()) == draft


def test_launch_without_any_weights_still_offers_every_network() -> None:
    app = show("launch")
    assert app.selectbox("teacher").value.startswith(RANDOM)
    assert "control" in words(app)


def _progress(app: AppTest) -> list[Any]:
    return [element.proto for element in app.get("progress")]
