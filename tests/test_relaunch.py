"""What a run was asked for comes back whole to the form it came from: every field that its spec has, and every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl

import pytest
from pydantic import BaseModel

from app.address.url_state import address, read
from app.backend import data
from app.components.relaunch import demo_draft
from app.form.drafts import Draft, defaults
from app.form.training import DEFAULTS, training_choices, training_document
from bird_backend import settings
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec, load_spec, override
from bird_backend.runs.store import RunStore
from bird_backend.studies import plan_methods, submit_study
from bird_backend.transfer import METHODS
from tests import synthetic
from tests.pages import again, show
from tests.weights import NETWORK, STUDENT, TEACHER, assets_without_weights, write_demo_weights

NAMED = {"teacher": {"model": NETWORK, "weights": "a-teacher"}, "student": {"model": NETWORK, "weights": "a-student"}}
WORDS: dict[str, list[Any]] = {
    "title": ["A title of its own"],
    "device": ["cpu"],
    "data": ["digits", "folder:/somewhere/else"],
    "image_size": [48],
    "save_as": ["kept-so"],
    "weights": ["another", None],
    "model": ["vit-tiny", "cnn-small"],
    "teacher": ["block2"],
    "student": ["block1"],
    "conditions": [["contrast"], ["rotation"], ["pgd"]],
    "train_conditions": [["contrast"], ["rotation"], ["pgd"]],
    "strengths": [[1, 5]],
    "corrupted_dir": ["/a folder, of images"],
    "frost_textures": ["/pictures"],
    "fork": [{"run": f"20250101-000000-transfer-{'0' * 16}", "step": 3, "arm": "bird", "checkpoint": "0" * 64}],
    "drawn": [{"teacher": "block1", "student": "block2", "weight": 1.0}],
}
"""What is put into a field of text or of lists, which its type does not tell."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def others(value: Any, annotation: Any, name: str) -> list[Any]:
    """Values of a field that are not the one it has."""
    if name in WORDS:
        return [other for other in WORDS[name] if other != value]
    if get_origin(annotation) is Literal:
        return [other for other in get_args(annotation) if other != value]
    for kind in get_args(annotation):
        if found := others(value, kind, name):
            return found
    if annotation is bool:
        return [not value]
    if annotation is int:
        return [(value or 40) + 1]
    if annotation is float:
        return [value * 0.123456789, value + 0.123456789]
    return []


def fields(model: BaseModel, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every field of a spec by its place, with values that it could have instead."""
    for name, field in type(model).model_fields.items():
        value, place = getattr(model, name), f"{path}{name}"
        if name in ("kind", "name"):
            continue
        if isinstance(value, BaseModel):
            yield from fields(value, f"{place}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for index, part in enumerate(value):
                yield from fields(part, f"{place}.{index}.")
        else:
            yield place, others(value, field.annotation, name)


def changed(spec: Any) -> Iterator[tuple[str, Any]]:
    """The spec with one field changed, for each; a field of which the test knows no other value is a failure."""
    document = spec.model_dump(mode="json")
    for place, values in fields(spec):
        assert values, f"{place}: what else could it be?"
        for value in values:
            try:
                yield place, load_spec(override(document, [f"{place}={json.dumps(value)}"]))
            except BirdError:
                continue  # not beside the other fields as they are


def through_the_address(choices: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    query = address(choices, usual)
    return {name: read(query[name], value) if name in query else value for name, value in usual.items()}


@pytest.mark.parametrize("behaviour", list(BEHAVIOURS))
@pytest.mark.parametrize("method", list(METHODS))
def test_every_field_of_a_transfer_comes_back_to_the_form_and_through_the_address(method: str, behaviour: str) -> None:
    pairs = [{"teacher": "block1", "student": "block2"}, {"teacher": "block3", "student": "block3"}]
    wants = {"pairs": pairs} if METHODS[method].matches_layers else {}
    base = load_spec(
        {**data.demo_document(), **NAMED, "title": "", "method": {"name": method, **wants}, "behaviour": behaviour}
    )
    reached = set()
    for place, spec in [("", base), *changed(base)]:
        assert isinstance(spec, TransferSpec)
        draft = Draft.of(spec.model_dump(mode="json"))
        networks = {ref.weights: ref.model for ref in (spec.teacher, spec.student) if ref.weights}
        back = Draft.from_choices(
            through_the_address(draft.choices(), defaults(demo_draft(), data=draft.data, method=draft.method))
        )
        assert load_spec(draft.document(networks)) == spec, place
        assert load_spec(back.document(networks)) == spec, place
        reached.add(place)
    wanted = {"seed", "device", "data", "title", "save_as", "training.lr", "snapshots.gram_images", "evaluation.limit"}
    assert wanted <= reached
    if METHODS[method].matches_layers:
        assert "method.pairs.1.weight" in reached


@pytest.mark.parametrize("kind", ["pretrain", "robustify"])
@pytest.mark.parametrize("behaviour", list(BEHAVIOURS))
def test_every_field_of_a_training_comes_back_to_its_form(kind: str, behaviour: str) -> None:
    base = load_spec(
        {"kind": kind, "data": "digits", "model": {"model": NETWORK}, "behaviour": behaviour, "save_as": "a-name"}
    )
    reached = set()
    for place, spec in [("", base), *changed(base)]:
        choices = training_choices(spec.model_dump(mode="json"))
        assert load_spec(training_document(choices)) == spec, place
        assert load_spec(training_document(through_the_address(choices, DEFAULTS))) == spec, place
        reached.add(place)
    assert {"training.batch_size", "training.epochs", "seed", "evaluation.limit"} <= reached


def relaunch(name: str, run_id: str) -> tuple[str, dict[str, str]]:
    """Page and address of the link that goes back to a run's form."""
    app = show(name, run=run_id)
    [link] = [link for link in app.main.get("page_link") if "launch again" in link.proto.label]
    return link.proto.page, dict(parse_qsl(link.proto.query_string, keep_blank_values=True))


MODEL = {"model": NETWORK}
ASKED: dict[str, dict[str, Any]] = {
    "transfer": synthetic.transfer_document(),
    "pretrain": {"model": MODEL},
    "robustify": {"model": MODEL},
    "evaluate": {"model": MODEL},
    "analyze": {"teacher": MODEL, "student": {"model": "vit-tiny"}},
    "inspect": {},
    "gallery": {},
    "convert": {"source": "f" * 64, "save_as": "my-net", "model": "cnn-small", "image_size": 64},
    "examine": {"model": MODEL},
}
PARTS = {"pretrain": "train", "robustify": "train", "convert": "bring", "examine": "networks"}
"""What each kind of run is asked for that a page asks for."""


@pytest.mark.parametrize("kind", list(ASKED))
def test_every_run_can_be_changed_and_launched_again(kind: str) -> None:
    write_demo_weights()
    on = {} if kind == "examine" else {"data": "digits"}
    run = RunStore().create(load_spec({"kind": kind, **on, **ASKED[kind]}))
    page, query = relaunch("live", run.id)
    assert page == ("models" if kind in PARTS else {"gallery": "gallery", "inspect": "images"}.get(kind, "launch"))
    assert query.get("part") == PARTS.get(kind)
    show(page, **query)


def test_a_title_that_nobody_typed_does_not_come_along() -> None:
    write_demo_weights()
    demo = RunStore().create(load_spec(data.demo_document()))
    assert "title" not in relaunch("live", demo.id)[1]
    typed = RunStore().create(load_spec({**data.demo_document(), "title": "Mine"}))
    assert relaunch("live", typed.id)[1]["title"] == "Mine"
    spec = load_spec(synthetic.transfer_document())
    assert isinstance(spec, TransferSpec)
    study = submit_study(plan_methods(spec, methods=["bird"], seeds=1, controls=[]), start_worker=False)
    assert "title" not in relaunch("live", study.run_ids[0])[1]


def test_a_title_says_what_was_chosen() -> None:
    write_demo_weights()
    app = show("launch", control="random-weights", epochs="3")
    app.button("launch").click()
    again(app)
    [run] = RunStore().list(kind="transfer")
    images = "Fashion-MNIST small, 5 of 10 classes: Sandal … Ankle boot"
    assert run.title == f"BIRD, random teacher: {TEACHER} → {STUDENT} on {images}"


def test_a_setting_that_can_not_be_is_said_before_the_launch() -> None:
    write_demo_weights()
    for further in ("training.nonsense=1", "method.pairs.7.weight=2", "no equals sign"):
        app = show("launch", further=further)
        assert app.button("launch").disabled
        assert app.error
