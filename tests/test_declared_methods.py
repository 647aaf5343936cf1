"""A method is declared in one place: form, plan, table, curves, command line and training find it there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app import charts
from app.backend import data
from app.form.drafts import Draft, settings_of
from bird_backend import runs, settings, studies, transfer
from bird_backend.cli import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import TransferSpec, load_spec, override
from bird_backend.experiments.execute import execute
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import RunWriter
from bird_backend.studies import plan_ablation, plan_methods, submit_study
from bird_backend.transfer import FAMILIES, METHODS
from tests.pages import again, show, words
from tests.study_runs import demo
from tests.weights import assets_without_weights, write_demo_weights

TOY = '''
"""Mimicry: L = L_task + beta |mean(z) − firmness|, which no one has published."""

from typing import Annotated, Literal

from pydantic import Field

from bird_backend.transfer.declaration import FormField, Method, MethodSettings, Part


class MimicrySettings(MethodSettings):
    name: Literal["mimicry"] = "mimicry"
    beta: Annotated[float, Field(ge=0), FormField(label="Weight of mimicry")] = 0.2
    firmness: Annotated[int, Field(ge=1), FormField(label="Firmness", help="How firm.")] = 3
    mood: Annotated[
        Literal["calm", "wild"],
        FormField(label="Mood", words={"calm": "Calm", "wild": "Wild"}, expert=True),
    ] = "calm"


def _build(settings, networks):
    from bird_backend.training import TransferMethod

    class Mimicry(TransferMethod):
        def losses(self, student, batch, task):
            outputs = batch.outputs(student)
            theirs = networks.teacher.outputs(batch)
            task_loss = task.loss(outputs, batch)
            mimicry = (outputs.float().mean() - theirs.float().mean() - settings.firmness).abs()
            return {"loss": task_loss + settings.beta * mimicry, "task_loss": task_loss, "mimicry_loss": mimicry}

    return Mimicry()


DECLARES = Method(
    name="mimicry",
    place=85,
    title="Mimicry",
    caption="Nobody knows why.",
    family="Follow the teacher",
    settings=MimicrySettings,
    build=_build,
    needs_teacher=True,
    parts={"mimicry_loss": Part(label="Mimicry", explained="how far one mean is from another")},
    remarks=lambda settings, training: ["It is only a toy."],
)
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more folder among the methods, of one file."""
    folder = tmp_path / "more" / "mimicry"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(TOY)
    monkeypatch.setattr(transfer, "__path__", [*transfer.__path__, str(tmp_path / "more")])
    METHODS.forget()
    yield
    METHODS.forget()
    del sys.modules["bird_backend.transfer.mimicry"]


@pytest.mark.usefixtures("toy")
def test_the_form_offers_it_with_its_settings_and_launches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    write_demo_weights()
    app = show("launch")
    assert "Mimicry" in app.radio("method").options
    assert "Nobody knows why." in app.radio("method").proto.captions
    app.radio("method").set_value("mimicry")
    again(app)
    assert app.number_input("firmness").value == 3
    assert app.selectbox("mood").options == ["Calm", "Wild"]
    app.number_input("firmness").set_value(5)
    app.selectbox("mood").set_value("wild")
    again(app)
    assert app.query_params["firmness"] in ("5", ["5"])
    assert "It is only a toy." in words(app)
    app.button("launch").click()
    again(app)
    (run,) = RunStore().list(kind="transfer")
    assert run.spec.method.model_dump() == {"name": "mimicry", "beta": 0.2, "firmness": 5, "mood": "wild"}
    draft = Draft.of(run.directory.read_spec())
    assert (draft.method, draft.settings["firmness"], draft.settings["mood"]) == ("mimicry", 5, "wild")


@pytest.mark.usefixtures("toy", "no_worker")
def test_comparisons_have_a_row_of_it_and_ablations_vary_it() -> None:
    plan = plan_methods(demo(), seeds=1)
    keys = [variant.key for variant in plan.variants]
    assert keys[keys.index("mimicry") + 1] == "rkd", "it stands where its place says"
    table = studies.results(submit_study(plan))
    assert "| Mimicry" in table.as_markdown()
    around = plan_ablation(demo(method={"name": "mimicry"}), "beta", seeds=1)
    assert [variant.value for variant in around.variants][1:] == pytest.approx([0.02, 0.06, 0.2, 0.6, 2])


@pytest.mark.usefixtures("toy")
def test_it_trains_is_listed_and_its_loss_part_is_drawn_by_its_name(
    transfer_document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunStore().create(load_spec(transfer_document | {"method": "mimicry", "control": "shuffled-batch"}))
    summary = execute(run.spec, RunWriter(run.directory))
    assert summary["method"] == "mimicry"
    metrics = runs.read_metrics(run.directory)
    assert metrics["mimicry_loss"].notna().any()
    assert charts.part_of(metrics) == "mimicry_loss"
    figure = charts.loss_curves(metrics, "mimicry_loss")
    assert figure.layout.title.text == "Mimicry, how far one mean is from another"
    assert [trace.name for trace in figure.data] == ["Mimicry"]
    assert main(["list", "methods"]) == 0
    assert "mimicry" in capsys.readouterr().out
    assert main(["list", "methods", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["mimicry"]["settings"] == {"beta": 0.2, "firmness": 3, "mood": "calm"}


@pytest.mark.usefixtures("toy")
def test_its_settings_are_checked_as_any_others(transfer_document: dict[str, Any]) -> None:
    document = transfer_document | {"method": {"name": "mimicry"}}
    for setting, message in {
        "method.firmness=0": r"^method\.firmness: input should be greater than or equal to 1, not 0\.$",
        "method.frimness=2": r"unknown field method\.frimness",
        "method.mood=sad": r"^method\.mood: input should be 'calm' or 'wild', not 'sad'\.$",
    }.items():
        with pytest.raises(InputError, match=message):
            load_spec(override(document, [setting]))
    with pytest.raises(UnknownNameError, match="Unknown method 'mimikry': did you mean mimicry"):
        load_spec(transfer_document | {"method": "mimikry"})


# What holds of every method that is declared


def test_a_bare_name_is_a_method_at_its_defaults(transfer_document: dict[str, Any]) -> None:
    for name, method in METHODS.items():
        if not method.matches_layers:
            spec, full = (load_spec(transfer_document | {"method": given}) for given in (name, {"name": name}))
            assert isinstance(spec, TransferSpec) and spec == full
            assert type(spec.method) is method.settings
            assert spec.model_dump(mode="json")["method"] == spec.method.model_dump(mode="json")


def test_there_is_one_floor_one_reference_and_one_ceiling() -> None:
    roles = [method.role for method in METHODS.values()]
    assert [roles.count(role) for role in ("floor", "reference", "ceiling")] == [1, 1, 1]
    assert {method.family for method in METHODS.values()} == set(FAMILIES)


def test_every_setting_is_asked_for_and_none_has_the_name_of_another_choice() -> None:
    taken = {part.name for part in fields(Draft)} | {"name", "pairs"}
    for name, method in METHODS.items():
        settable = set(method.settings.model_fields) - {"name", "pairs", "start"}
        assert set(settings_of(name)) == settable
        assert not settable & taken
        for setting in method.choices.values():
            assert setting.form.label
            assert not setting.options or set(setting.form.words or ()) == set(setting.options)


def test_a_loss_part_says_what_it_is_where_all_who_have_it_agree() -> None:
    metrics = pd.DataFrame({"arm": ["bird", "hints"], "representation_loss": [0.1, 0.2]})
    assert charts.part_title(metrics, "representation_loss") == "Representation loss"
    assert charts.part_title(metrics[:1], "representation_loss") == "Representation loss, 1 − CKA of the batch"
