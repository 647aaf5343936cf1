"""The zoo: what it would make, three of it made in no time, and a death in the middle that loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from bird_backend import settings
from bird_backend.cli import main
from bird_backend.cli.asset_makers import ZOO
from bird_backend.datasets import load_dataset, normalise
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import RobustifySpec, load_spec
from bird_backend.experiments.execute import execute
from bird_backend.models import build_model, load_model, save_weights
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import RunWriter
from bird_backend.seeds import derive_seed
from bird_backend.specs import ModelRef
from bird_backend.studies.zoo import effort, plan_zoo, state_of
from tests.test_resuming import Doomed, Killed
from tests.weights import assets_without_weights

CLEAN, ROBUST, RANDOM = (f"zoo-cnn-small-digits-{what}" for what in ("clean", "corruptions", "random"))
TINY = (
    "training.epochs=1",
    "training.checkpoint_every=4",
    'behaviour.conditions=["contrast"]',
    "behaviour.strengths=[3]",
    "evaluation.limit=20",
    "device=cpu",
)


@pytest.fixture(autouse=True)
def _none_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if none of it came with the project."""
    without = assets_without_weights(tmp_path)
    (without / "frost").symlink_to(settings.ASSETS / "frost")
    monkeypatch.setattr(settings, "ASSETS", without)


def test_what_comes_with_the_project_is_there_without_what_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = {teacher.name: state_of(teacher) for teacher in plan_zoo()}
    assert {name for name, state in found.items() if state == "there"} == set(ZOO)
    assert set(found.values()) == {"there", "missing"}


def zoo(capsys: pytest.CaptureFixture[str], *arguments: str, only: str = f"{ROBUST},{RANDOM}") -> tuple[int, Any, str]:
    """Exit code, JSON and what was said of a tiny zoo."""
    changes = [word for change in TINY for word in ("--set", change)]
    code = main(["zoo", "--only", only, *changes, "--json", *arguments])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else None, said.err


def test_there_are_many_to_choose_from_and_each_is_an_ordinary_spec() -> None:
    teachers = plan_zoo()
    names = [teacher.name for teacher in teachers]
    assert len(set(names)) == len(names) >= 24
    assert {teacher.spec.model.model for teacher in teachers} == {"resnet-narrow", "cnn-small", "vit-tiny"}
    for place, teacher in enumerate(teachers):
        spec = teacher.spec
        assert load_spec(spec.model_dump(mode="json")) == spec
        assert spec.save_as == teacher.name and len(spec.title) <= 120
        assert effort(teacher) > 0 and state_of(teacher) == "missing"
        assert (spec.model.weights == teacher.begins_with) and (
            isinstance(spec, RobustifySpec) == (teacher.begins_with in names[:place])
        ), "a robust one begins with one that is made before it"


def test_some_of_it_bring_along_what_they_begin_with() -> None:
    assert [teacher.name for teacher in plan_zoo(only=[ROBUST])] == [CLEAN, ROBUST]
    assert len(plan_zoo(only=["zoo-vit-*", RANDOM])) == sum("vit" in each.name for each in plan_zoo()) + 1
    changed = plan_zoo(only=[RANDOM, ROBUST], changes=["training.lr=1", "seed=3"])
    assert [(each.name, each.spec.training.lr == 1, each.spec.seed) for each in changed] == [
        (CLEAN, True, 3),
        (ROBUST, True, 3),
        (RANDOM, False, 3),
    ], "a random one stays random"
    with pytest.raises(UnknownNameError, match=f"teacher of the zoo '{RANDOM}s': did you mean {RANDOM}"):
        plan_zoo(only=[f"{RANDOM}s"])
    for change in ("data=fashion-mnist-small", "save_as=mine"):
        with pytest.raises(InputError, match="leave that out of --set"):
            plan_zoo(changes=[change])


def test_a_death_in_the_middle_loses_nothing_and_what_is_there_is_not_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    store, [clean, robust, random] = RunStore(), plan_zoo(only=[ROBUST, RANDOM], changes=TINY)
    begun = store.create(clean.spec, state="running", device="cpu")
    with pytest.raises(Killed):
        execute(clean.spec, Doomed(begun.directory, "model", 6), device="cpu")

    code, made, said = zoo(capsys, "--out", str(tmp_path / "out"))
    assert code == 0 and [each["state"] for each in made] == ["made"] * 3, said
    assert "1 of 3, zoo-cnn-small-digits-clean" in said
    assert {run.id for run in store.list(states=("done",))} >= {begun.id} and store.count() == 3
    for each in made:
        assert (tmp_path / "out" / f"{each['name']}.safetensors").read_bytes() == Path(each["file"]).read_bytes()

    whole = store.create(clean.spec.model_copy(update={"save_as": "whole"}), state="running", device="cpu")
    execute(whole.spec, RunWriter(whole.directory), device="cpu")
    one, other = (load_file(find_weights(name)) for name in (CLEAN, "whole"))
    assert all(torch.equal(one[key], other[key]) for key in other), "bit for bit as if nothing had happened"

    drawn = build_model("cnn-small", classes=10, seed=derive_seed(0, "weights of cnn-small"))
    still = load_file(find_weights(RANDOM))
    assert all(torch.allclose(value, still[name], rtol=0, atol=1e-10) for name, value in drawn.named_parameters())

    data = load_dataset("digits")
    for teacher in (clean, robust, random):
        origin = read_provenance(find_weights(teacher.name))
        assert origin is not None and origin.role == "teacher" and origin.validated is not None
        model = _load(teacher.name)
        with torch.no_grad():
            right = model.eval()(normalise(data.validation.images)).argmax(1) == data.validation.labels
        assert origin.validated.clean_accuracy == pytest.approx(right.float().mean().item(), abs=1 / len(right) + 1e-6)
        assert (origin.validated.n, origin.validated.n_robust, origin.n_test) == (144, 144, 20)
        assert origin.validated.robust_accuracy is not None

    assert [each["state"] for each in zoo(capsys)[1]] == ["there"] * 3
    assert store.count() == 4, "nothing was begun"
    code, _, said = zoo(capsys, "--set", "training.epochs=2")
    assert code == 2 and f"{CLEAN} and 2 more are there already, made in another way" in said and "--replace" in said

    path = find_weights(CLEAN)
    origin = read_provenance(path)
    assert origin is not None
    save_weights(path, _load(CLEAN), origin.model_copy(update={"created": "2999-01-01T00:00:00Z"}))
    assert [state_of(each) for each in (clean, robust, random)] == ["there", "other", "there"]


def _load(name: str) -> nn.Module:
    return load_model(ModelRef(model="cnn-small", weights=name), classes=None, seed=0, image_size=32)[0]


def test_one_that_fails_stops_only_those_that_begin_with_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(run_id: str, **_: object) -> dict[str, Any]:
        if RunStore().get(run_id).spec.save_as == CLEAN:  # type: ignore[attr-defined]
            RunStore().finish(run_id, "failed", reason="The disk is full.")
            raise InputError("The disk is full.")
        raise SystemExit(RunStore().get(run_id).spec.save_as)  # type: ignore[attr-defined]

    monkeypatch.setattr("bird_backend.cli.zoo_runner.perform", perform)
    with pytest.raises(SystemExit, match=RANDOM):
        zoo(capsys)
    assert [run.state for run in RunStore().list()] == ["running", "failed"], "no robust one was begun"
