"""The overview, launch and models pages in every state, and the pure parts behind them."""

from __future__ import annotations

import json
import shlex
import struct
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import data
from app.command_line import command_line, pretty
from app.components.relaunch import demo_draft
from app.drafts import OWN, RANDOM, Draft, defaults
from app.estimates import duration, estimate
from app.headline import headline
from app.machine import Machine
from app.url_state import address
from app.validation import review
from app.weights import offered, usable
from bird_backend import catalog, settings
from bird_backend.runs.store import RunStore
from bird_backend.specs import TransferSpec, load_spec, override, spec_hash
from tests import synthetic

FASHION = catalog.DATASETS["fashion-mnist-small"].classes
NETWORK = "resnet-narrow"
NETWORKS = {"digits-robust-teacher": NETWORK, "fashion-student": NETWORK}
LAPTOP = Machine(cores=2, gpus=(), apple=False)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", _assets(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def _assets(tmp_path: Path) -> Path:
    """The project's examples without its weights, so that a test says which weights there are."""
    folder = tmp_path / "assets"
    (folder / "examples").mkdir(parents=True)
    (folder / "examples" / "demo.json").write_text((settings.ASSETS / "examples" / "demo.json").read_text())
    return folder


def write_weights(name: str, **changes: Any) -> Path:
    """A weights file with provenance and a single small tensor."""
    provenance = {
        "model": NETWORK,
        "classes": [str(digit) for digit in range(10)],
        "data": "digits",
        "recipe": {"kind": "robustify", "data": "digits", "seed": 0},
        "seed": 0,
        "clean_accuracy": 0.97,
        "robust_accuracy": 0.87,
        "n_test": 359,
        "code_version": "0.1.0",
        "created": "2026-01-01T00:00:00Z",
        "title": "Robust digits teacher",
        "role": "teacher",
    } | changes
    header = json.dumps(
        {
            "__metadata__": {"bird": json.dumps(provenance)},
            "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        }
    ).encode()
    path = settings.checkpoints_dir() / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    return path


def write_demo_weights() -> None:
    write_weights("digits-robust-teacher")
    write_weights(
        "fashion-student", data="fashion-mnist-small", classes=list(FASHION), role="student", title="Fashion student"
    )


def show(name: str, /, **query: str) -> AppTest:
    """The whole app, opened at a page."""

    def script(start: str) -> None:
        from app.main import main  # noqa: PLC0415 - the script has its own namespace

        main(start)

    app = AppTest.from_function(script, kwargs={"start": name}, default_timeout=20)
    for key, value in query.items():
        app.query_params[key] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def words(app: AppTest) -> str:
    """All that the page says."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.error, app.warning, app.info, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def asked(app: AppTest) -> dict[str, str]:
    """The query string as the page left it."""
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


# Overview


def test_overview_of_an_empty_home_offers_the_demo_first() -> None:
    app = show("overview")
    assert app.title[0].value == "What is moving here?"
    button = app.button("run_demo")
    assert button.label == "Run the demo transfer"
    assert button.proto.type == "primary"
    assert "What you will see" in words(app)


def test_pressing_the_demo_button_queues_the_demo_once() -> None:
    write_demo_weights()
    app = show("overview")
    app.button("run_demo").click()
    app.run()
    runs = RunStore().list()
    assert [run.spec for run in runs] == [load_spec(data.demo_document())]
    again = show("overview")
    assert again.button("run_demo").label == "Watch the demo that is running"
    again.button("run_demo").click()
    again.run()
    assert len(RunStore().list()) == 1


def test_overview_says_what_came_of_each_run() -> None:
    done = synthetic.write_transfer("done", title="A done one")
    synthetic.write_transfer("failed", fraction=0.3, reason="The loss is not a number after step 31.")
    synthetic.write_transfer("running", fraction=0.4)
    text = words(show("overview"))
    assert headline(done).figure in text.replace("\\", "")
    assert "beyond noise" in text or "within noise" in text
    assert "The loss is not a number after step 31" in text
    assert "Recent runs" in text


def test_a_home_that_can_not_be_written_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "file"))
    assert any("BIRD_HOME" in error.value for error in show("overview").error)


def test_headline_compares_with_fine_tuning_and_states_its_interval() -> None:
    found = headline(synthetic.write_transfer("done"))
    assert found.gap is not None
    assert found.gap.half > 0
    assert "fine-tuning" in found.words
    assert "500" in found.detail
    assert headline(synthetic.write_transfer("running", fraction=0.2)) is None
    alone = headline(synthetic.write_transfer("done", baseline=False))
    assert "over before" in alone.words


# Launch


def test_launch_as_it_stands_is_the_demo() -> None:
    write_demo_weights()
    app = show("launch")
    assert not app.button("launch").disabled
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert launched.spec_hash == spec_hash(load_spec(data.demo_document()))


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
    run(app)
    assert len(RunStore().list(kind="analyze")) == 1


def test_a_layer_map_that_failed_says_why_and_can_be_measured_again() -> None:
    write_demo_weights()
    show("launch")
    [run_] = RunStore().list(kind="analyze")
    RunStore().finish(run_.id, "failed", reason="The disk is full.")
    app = show("launch")
    assert any("The disk is full." in warning.value for warning in app.warning)
    app.button("measure").click()
    run(app)
    assert len(RunStore().list(kind="analyze")) == 2


def test_choices_are_in_the_url_and_come_back_from_it() -> None:
    write_demo_weights()
    app = show("launch")
    app.selectbox("guiding").select("block2")
    run(app)
    app.number_input("epochs").set_value(7)
    run(app)
    assert asked(app) == {"guiding": "block2", "epochs": "7"}
    again = show("launch", guiding="block2", epochs="7")
    assert again.selectbox("guiding").value == "block2"
    assert again.number_input("epochs").value == 7


def test_going_back_in_the_browser_brings_the_choices_back() -> None:
    write_demo_weights()
    app = show("launch")
    app.number_input("epochs").set_value(7)
    run(app)
    app.query_params.clear()
    run(app)
    assert app.number_input("epochs").value == data.demo_document()["training"]["epochs"]


@pytest.mark.parametrize(
    "query",
    [
        {"teacher": "no-such", "data": "nothing", "method": "magic", "guided": "layer99"},
        {"epochs": "many", "lr": "nan", "seed": "9" * 30, "beta": "inf", "baseline": "perhaps"},
        {"corruptions": "rain,,gaussian_blur", "severities": "1,x", "device": "tpu", "kernel": "cubic"},
        {"severities": "9", "alpha": "", "title": "<script>alert(1)</script>", "path": "../../etc"},
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
        ({"severities": ""}, "at least one"),
        ({"corruptions": ""}, "at least one corruption"),
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
    write_weights("digits-robust-teacher")
    write_weights("three", role="student", data="digits", classes=["a", "b", "c"])
    app = show("launch", student="three")
    assert any("tells 3 classes apart" in error.value for error in app.error)


def test_presets_fill_the_form() -> None:
    write_demo_weights()
    app = show("launch")
    next(button for button in app.button if button.label == "Fine-tuning only").click()
    run(app)
    assert asked(app)["method"] == "fine-tuning"
    assert "Guiding" not in "".join(box.label for box in app.selectbox)
    next(button for button in app.button if button.label == "The demo").click()
    run(app)
    assert asked(app) == {}


@pytest.mark.parametrize("method", list(catalog.METHODS))
def test_every_method_can_be_chosen_and_launched(method: str) -> None:
    write_demo_weights()
    if catalog.METHODS[method].needs_same_classes:
        write_weights("fashion-teacher", data="fashion-mnist-small", classes=list(FASHION))
    teacher = {"teacher": "fashion-teacher"} if catalog.METHODS[method].needs_same_classes else {}
    app = show("launch", method=method, **teacher)
    assert catalog.METHODS[method].caption in str(app.radio("method").proto.captions)
    shown = {element.key for kind in ("selectbox", "number_input") for element in app.main.get(kind)}
    assert ("guiding" in shown) == catalog.METHODS[method].matches_layers
    assert ("start" in shown) == catalog.METHODS[method].may_start_from_teacher
    assert ("control" in shown) == catalog.METHODS[method].needs_teacher
    assert not app.button("launch").disabled, [error.value for error in app.error]
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert launched.spec.method.name == method


def test_another_method_brings_its_own_weights_along() -> None:
    write_demo_weights()
    app = show("launch")
    app.number_input("beta").set_value(0.25)
    run(app)
    app.radio("method").set_value("sp")
    run(app)
    assert app.number_input("beta").value == 3000
    assert asked(app) == {"method": "sp"}
    app.radio("method").set_value("bird")
    run(app)
    assert app.number_input("beta").value == data.demo_document()["method"]["beta"]


def test_another_kind_of_method_starts_with_its_first() -> None:
    write_demo_weights()
    app = show("launch")
    next(group for group in app.main.get("button_group") if group.key == "_family").set_value("Go on from weights")
    run(app)
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
        ({"teacher": "fashion-student"}, "the same network with the same weights"),
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
    draft = replace(demo_draft(), epochs=9, severities=(1, 3), baseline=False, lr=0.0125)
    query = address(asdict(draft), asdict(demo_draft()))
    assert query == {"epochs": "9", "severities": "1,3", "baseline": "no", "lr": "0.0125"}
    app = show("launch", **query)
    app.button("launch").click()
    app.run()
    [launched] = RunStore().list(kind="transfer")
    assert Draft.of(launched.directory.read_spec()) == draft


def test_launch_without_any_weights_still_offers_every_network() -> None:
    app = show("launch")
    assert app.selectbox("teacher").value.startswith(RANDOM)
    assert "control" in words(app)


# Models


def test_models_of_an_empty_home_say_what_to_do() -> None:
    assert any("no weights yet" in info.value for info in show("models").info)


def test_models_show_provenance_and_broken_files_with_their_reason() -> None:
    write_demo_weights()
    (settings.checkpoints_dir() / "old.safetensors").write_bytes(b"\x80\x04rest")
    app = show("models")
    text = words(app)
    assert "Robust digits teacher" in text
    assert "digits-robust-teacher" in text
    assert any("pickle" in warning.value for warning in app.warning)
    assert {metric.value for metric in app.metric} == {"97.0 %", "87.0 %"}


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


# The pure parts


def test_a_draft_survives_the_way_to_a_document_and_back() -> None:
    draft = Draft(
        guiding="block1", guided="block2", kernel="rbf", bandwidth=0.5, limit=100, title="T", save="s", seed=3
    )
    assert Draft.of(draft.document(NETWORKS)) == draft
    control = replace(draft, teacher=f"{RANDOM}vit-tiny", data=OWN, path="zip:/a.zip")
    assert Draft.of(control.document(NETWORKS)) == control


@pytest.mark.parametrize("method", list(catalog.METHODS))
def test_a_draft_of_every_method_survives_document_spec_and_address(method: str) -> None:
    draft = Draft(guiding="block1", guided="block2", epochs=7).with_method(method)
    if catalog.METHODS[method].matches_layers:
        draft = replace(draft, beta=0.5, more=("block1 → block1",))
    else:
        draft = replace(draft, guiding="", guided="")
    if catalog.METHODS[method].needs_teacher:
        draft = replace(draft, control="shuffled-batch")
    if catalog.METHODS[method].may_start_from_teacher:
        draft = replace(draft, start="teacher")
    if method in ("none", "fine-tuning"):
        draft = replace(draft, baseline=False)
    document = draft.document(NETWORKS)
    assert Draft.of(document) == draft
    spec = load_spec(document)
    assert isinstance(spec, TransferSpec)
    assert spec.method.name == method
    # A run keeps its spec in full, with every default in it.
    assert Draft.of(spec.model_dump(mode="json")) == draft
    app = show("launch", **address(asdict(draft), defaults(demo_draft(), method)))
    assert {key: app.session_state[key] for key in ("method", "epochs", "beta", "start", "control")} == {
        key: getattr(draft, key) for key in ("method", "epochs", "beta", "start", "control")
    }


def test_the_usual_start_of_each_method_is_left_to_the_method() -> None:
    document = Draft.of(data.demo_document()).with_method("lp-ft").document(NETWORKS)
    assert load_spec(document).start == "teacher"  # type: ignore[union-attr]
    document["method"] = {"name": "fine-tuning", "start": "auto"}
    assert Draft.of(document).start == "teacher"
    document["teacher"] = {"model": "cnn-small"}
    assert Draft.of(document).start == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a/b", "folder:/a/b"), (" /a/b.ZIP ", "zip:/a/b.ZIP"), ("zip:/x", "zip:/x"), ("folder:/y.zip", "folder:/y.zip")],
)
def test_own_images_are_named_by_what_their_path_is(path: str, name: str) -> None:
    assert Draft(data=OWN, path=path).data_name == name


def test_the_command_line_makes_the_same_spec() -> None:
    draft = replace(Draft.of(data.demo_document()), epochs=9, guided="block3", device="cpu", corruptions=("contrast",))
    document = draft.document(NETWORKS)
    line = command_line(document, data.demo_document(), file="demo.json")
    parts = shlex.split(line.replace("\\\n", " "))
    given = [parts[index + 1] for index, part in enumerate(parts) if part == "--set"]
    assert spec_hash(load_spec(override(data.demo_document(), given))) == spec_hash(load_spec(document))
    assert len(given) == 4


def test_the_command_line_can_change_the_method() -> None:
    document = replace(Draft.of(data.demo_document()), method="fine-tuning").document(NETWORKS)
    line = command_line(document, data.demo_document(), file="demo.json")
    assert '"name": "fine-tuning"' in line
    assert "--set baseline=false" in line


def test_pretty_json_is_json() -> None:
    document = data.demo_document()
    assert json.loads(pretty(document)) == document


def test_estimates_grow_with_work_and_prefer_what_was_measured() -> None:
    spec = load_spec(data.demo_document())
    assert isinstance(spec, TransferSpec)
    guess = estimate(spec, [], LAPTOP)
    longer = spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 40})})
    assert 10 < guess.seconds < 120
    assert estimate(longer, [], LAPTOP).seconds > 4 * guess.seconds
    alone = spec.model_copy(update={"baseline": False})
    assert estimate(alone, [], LAPTOP).seconds < guess.seconds
    done = synthetic.write_transfer("done")
    measured = estimate(spec, [done], LAPTOP)
    assert "2,000 images a second" in measured.basis


@pytest.mark.parametrize(
    ("seconds", "text"), [(2, "5 seconds"), (47, "45 seconds"), (200, "3 minutes"), (7200, "2 hours"), (1e6, "12 days")]
)
def test_durations_are_rounded_as_people_round(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_lists_offer_the_likeliest_weights_first() -> None:
    write_demo_weights()
    checkpoints = usable(data.checkpoints())
    assert next(iter(offered("teacher", "fashion-mnist-small", checkpoints))) == "digits-robust-teacher"
    assert next(iter(offered("student", "fashion-mnist-small", checkpoints))) == "fashion-student"
    assert f"{RANDOM}{NETWORK}" in offered("teacher", "digits", checkpoints)


def test_notes_speak_of_controls_and_empty_weights() -> None:
    write_demo_weights()
    checkpoints = usable(data.checkpoints())
    draft = replace(Draft.of(data.demo_document()), teacher=f"{RANDOM}{NETWORK}", beta=0.0, baseline=False)
    notes = " ".join(review(draft.document(NETWORKS), draft, checkpoints).notes)
    for sentence in ("random weights", "β is 0", "fine-tuned twin"):
        assert sentence in notes


def test_every_choice_of_a_draft_is_a_plain_value() -> None:
    assert all(isinstance(value, str | int | float | bool | tuple) for value in asdict(Draft()).values())


def _progress(app: AppTest) -> list[Any]:
    return [element.proto for element in app.get("progress")]
