"""The study of pairs that comes with the project: its recipe, the command that makes its table, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bird_backend import settings
from bird_backend.cli import shipped_pairs
from bird_backend.errors import InputError, RunError
from bird_backend.prediction import ATTRIBUTES, PAIR, fit_each, join, read_frame
from bird_backend.studies import network_of, plan_pairs, rankings_of
from tests.study_runs import demo, small

RECIPE = json.loads((settings.ASSETS / "studies" / "pairs.json").read_text("utf-8"))
TABLE = settings.ASSETS / "studies" / "pairs.parquet"


def test_the_table_has_every_pair_of_the_recipe_at_every_seed_with_its_scores() -> None:
    table = pd.read_parquet(TABLE)
    asked = {
        (teacher, guiding, student, guided, RECIPE["base"]["seed"] + seed)
        for teacher in RECIPE["teachers"]
        for student in RECIPE["students"]
        for guiding, guided in RECIPE["layers"]
        for seed in range(RECIPE["seeds"])
    }
    found = [tuple(row) for row in table[[*PAIR, "seed"]].itertuples(index=False)]
    assert len(found) == len(asked) and set(found) == asked
    assert len(table.drop_duplicates([*PAIR])) >= 144
    numbers = table[[*ATTRIBUTES, "cka", "robust_after", "gain"]]
    assert np.isfinite(numbers.to_numpy(float)).all()
    assert (table["gain"] - (table["robust_after"] - table["robust_fine_tuning"])).abs().max() < 1e-12
    assert set(table["data"]) == {RECIPE["base"]["data"]}
    assert fit_each(join(table, None), outcome="gain")[0].teachers == len(RECIPE["teachers"])


def test_rankings_are_of_the_study_s_own_layers_one_a_student() -> None:
    teachers = [network_of("digits-robust-teacher"), network_of("digits-geometric-teacher")]
    layers = [("block1", "block2"), ("block2", "block2")]
    base = small(image_size=48)
    (found,) = rankings_of(plan_pairs(base, teachers=teachers, layers=layers, random_teachers=True, seeds=2))
    assert [teacher.weights for teacher in found.teachers] == ["digits-robust-teacher", "digits-geometric-teacher"]
    assert {teacher.layers for teacher in found.teachers} == {("block1", "block2")}
    assert (found.student.weights, found.student.layers) == ("fashion-student", ("block2",))
    assert (found.data, found.image_size, found.behaviour) == (base.data, 48, base.behaviour)


def test_one_command_makes_the_table_and_what_is_done_is_used_again(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_pairs, "FOLDER", tmp_path)
    base = small(data="digits", student=network_of("digits-geometric-teacher"), training={"epochs": 1})
    recipe = {
        "base": base.model_dump(mode="json"),
        "teachers": ["digits-robust-teacher"],
        "students": ["digits-geometric-teacher"],
        "layers": [["block1", "block1"]],
        "seeds": 1,
    }
    (tmp_path / "tiny.json").write_text(json.dumps(recipe))
    made = shipped_pairs.make_pairs("tiny", lambda *_: None)
    path = tmp_path / "tiny.parquet"
    first = read_frame(path)
    assert (made["rows"], len(first)) == (1, 1) and np.isfinite(first[[*ATTRIBUTES]].to_numpy()).all()
    again = shipped_pairs.make_pairs("tiny", lambda *_: pytest.fail("nothing is left to do"))
    assert again["bytes"] == made["bytes"] and read_frame(path).equals(first)


def test_what_can_not_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_pairs, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=r"no recipe none\.json"):
        shipped_pairs.plan_shipped("none")
    recipe = {"base": demo().model_dump(mode="json"), "teachers": ["zoo-nobody"], "students": ["fashion-student"]}
    (tmp_path / "lost.json").write_text(json.dumps(recipe))
    with pytest.raises(InputError, match="`zoo` makes"):
        shipped_pairs.plan_shipped("lost")
    pairs = pd.DataFrame([dict.fromkeys((*PAIR, "state", "run", "seconds", "validation_robust"), "a")])
    with pytest.raises(RunError, match="1 pairs have no scores"):
        shipped_pairs.with_scores(pairs, pairs.assign(teacher="b")[list(PAIR)])
