"""A transfer being put together: draft, document, address, command line, estimate and what is said of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from app.address.url_state import address
from app.backend import data
from app.backend.machine import Machine
from app.backend.weights import RANDOM, offered, usable
from app.components.relaunch import demo_draft
from app.form.command_line import command_line, pretty
from app.form.drafts import OWN, Draft, defaults
from app.form.estimates import estimate
from app.form.validation import review
from bird_backend import settings
from bird_backend.durations import exact, rough
from bird_backend.experiments import TransferSpec, load_spec, override, spec_hash
from bird_backend.transfer import METHODS
from tests import synthetic
from tests.pages import show
from tests.weights import (
    DATA,
    NETWORK,
    NETWORKS,
    STUDENT,
    TEACHER,
    assets_without_weights,
    write_demo_weights,
    write_weights,
)

LAPTOP = Machine(cores=2, gpus=(), apple=False)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def test_a_draft_survives_the_way_to_a_document_and_back() -> None:
    draft = Draft(guiding="block1", guided="block2", limit=100, title="T", save="s", seed=3)
    draft = draft.with_settings(kernel="rbf", bandwidth=0.5)
    assert Draft.of(draft.document(NETWORKS)) == draft
    control = replace(draft, teacher=f"{RANDOM}vit-tiny", data=OWN, path="zip:/a.zip")
    assert Draft.of(control.document(NETWORKS)) == control


@pytest.mark.parametrize("method", list(METHODS))
def test_a_draft_of_every_method_survives_document_spec_and_address(method: str) -> None:
    draft = Draft(guiding="block1", guided="block2", epochs=7).with_method(method)
    if METHODS[method].matches_layers:
        draft = replace(draft.with_settings(beta=0.5), more=("block1 → block1",))
    else:
        draft = replace(draft, guiding="", guided="")
    if METHODS[method].needs_teacher:
        draft = replace(draft, control="shuffled-batch")
    if METHODS[method].may_start_from_teacher:
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
    app = show("launch", **address(draft.choices(), defaults(demo_draft(), data=draft.data, method=method)))
    assert {key: app.session_state[key] for key in ("method", "epochs", "beta", "start", "control")} == {
        key: draft.choices()[key] for key in ("method", "epochs", "beta", "start", "control")
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
    draft = replace(Draft.of(data.demo_document()), epochs=9, guided="block3", device="cpu", conditions=("contrast",))
    document = draft.document(NETWORKS)
    line = command_line(document, data.demo_document(), file="demo.json")
    parts = shlex.split(line.replace("\\\n", " "))
    given = [parts[index + 1] for index, part in enumerate(parts) if part == "--set"]
    assert spec_hash(load_spec(override(data.demo_document(), given))) == spec_hash(load_spec(document))
    assert len(given) == 4


def test_the_command_line_can_change_the_method() -> None:
    document = Draft.of(data.demo_document()).with_method("fine-tuning").document(NETWORKS)
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
    attacks = load_spec({**data.demo_document(), "behaviour": "adversarial"})
    corruptions = load_spec({**data.demo_document(), "behaviour": {"conditions": ["fog", "snow", "frost"]}})
    assert estimate(attacks, [], LAPTOP).seconds > 1.5 * estimate(corruptions, [], LAPTOP).seconds  # type: ignore[arg-type]
    measured = estimate(spec, [done], LAPTOP)
    assert "2,000 images a second" in measured.basis


@pytest.mark.parametrize(
    ("seconds", "text"), [(2, "5 seconds"), (47, "45 seconds"), (200, "3 minutes"), (7200, "2 hours"), (1e6, "12 days")]
)
def test_durations_are_rounded_as_people_round(seconds: float, text: str) -> None:
    assert rough(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(41.6, "42 s"), (185, "3 min 05 s"), (4321, "1 h 12 min"), (-1, "0 s")])
def test_durations_that_were_measured_are_said_as_they_are(seconds: float, text: str) -> None:
    assert exact(seconds) == text


def test_lists_offer_the_likeliest_weights_first() -> None:
    write_demo_weights()
    known = usable(data.weights_files())
    assert next(iter(offered("teacher", DATA, known))) == TEACHER
    assert next(iter(offered("student", DATA, known))) == STUDENT
    assert f"{RANDOM}{NETWORK}" in offered("teacher", "digits", known)


def test_a_teacher_for_another_behaviour_is_told_of() -> None:
    write_demo_weights()
    recipe = {"kind": "robustify", "behaviour": {"name": "geometric"}, "train_conditions": ["rotation", "shift"]}
    write_weights("turned", recipe=recipe)
    known = usable(data.weights_files())
    draft = replace(Draft.of(data.demo_document()), teacher="turned")
    networks = {**NETWORKS, "turned": NETWORKS[STUDENT]}
    said = "was trained for geometric changes, and what is measured is common corruptions"
    assert any(said in note for note in review(draft.document(networks), draft, known).notes)
    fitting = replace(draft, behaviour="geometric")
    assert not any("trained for" in note for note in review(fitting.document(networks), fitting, known).notes)


def test_notes_speak_of_controls_and_empty_weights() -> None:
    write_demo_weights()
    known = usable(data.weights_files())
    draft = replace(Draft.of(data.demo_document()), teacher=f"{RANDOM}{NETWORK}", baseline=False)
    draft = draft.with_settings(beta=0.0)
    notes = " ".join(review(draft.document(NETWORKS), draft, known).notes)
    for sentence in ("random weights", "β is 0", "fine-tuned twin"):
        assert sentence in notes


def test_every_choice_of_a_draft_is_a_plain_value() -> None:
    assert all(isinstance(value, str | int | float | bool | tuple) for value in Draft().choices().values())
