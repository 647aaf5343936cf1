"""Studies of pairs: what is planned, what is refused, what a budget ends, and the table with a row a pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.backend import data
from bird_backend import runs
from bird_backend.cli.main import main
from bird_backend.cli.study_runner import perform_study
from bird_backend.errors import InputError
from bird_backend.runs.table import RunTable
from bird_backend.specs import ModelRef
from bird_backend.studies import (
    Plan,
    add_seeds,
    end_of_budget,
    extend_study,
    network_of,
    pairs_of,
    plan_pairs,
    progress_of,
    read_study,
    resume_study,
    runs_of,
    states_of,
    stop_study,
    submit_study,
)
from bird_backend.studies.pairs_table import COLUMNS
from tests.conftest import write_spec
from tests.pages import again, show, words
from tests.planted_pairs import finish_pairs
from tests.study_runs import demo

pytestmark = pytest.mark.usefixtures("no_worker")
ROBUST, GEOMETRIC, STUDENT = "digits-robust-teacher", "digits-geometric-teacher", "fashion-student"


def plan(**how: Any) -> Plan:
    given = {"teachers": [network_of(ROBUST), network_of(GEOMETRIC)], "layers": "depth"} | how
    return plan_pairs(demo(), **given)


# Plans


def test_every_pair_at_every_seed_and_references_once_a_student() -> None:
    found = plan(seeds=2, layers="all", random_teachers=True)
    specs = [found.spec(variant, seed) for variant, seed in found.asked]
    pairs = [
        (spec.teacher.weights, spec.pairs[0].teacher, spec.pairs[0].student, spec.seed)
        for spec in specs
        if spec.pairs and spec.control != "same-alpha"
    ]
    layers = ["stem", "block1", "block2", "block3"]
    expected = {
        (teacher, guiding, guided, seed)
        for teacher in (ROBUST, GEOMETRIC, None)
        for guiding in layers
        for guided in layers
        for seed in (0, 1)
    }
    assert len(pairs) == len(expected) and set(pairs) == expected
    assert sum(spec.method.name == "fine-tuning" for spec in specs) == 2
    same_alpha = [spec for spec in specs if spec.control == "same-alpha"]
    assert [spec.method.alpha for spec in same_alpha] == [demo().method.alpha] * 2
    assert {spec.control for spec in specs if spec.teacher.weights is None} == {"random-weights"}
    assert not any(spec.baseline for spec in specs)
    assert {spec.snapshots.count for spec in specs} == {3}
    assert [seed for _, seed in found.asked] == sorted(seed for _, seed in found.asked), "what a seed shares is kept"
    assert sum("left out" in note for note in found.notes) == 1


def test_by_depth_each_guided_layer_has_one_guide() -> None:
    found = [variant.label for variant in plan().variants if variant.role == "contender"]
    assert found == [
        f"{teacher} {layer} → {STUDENT} {layer}"
        for teacher in (ROBUST, GEOMETRIC)
        for layer in ("stem", "block1", "block2", "block3", "pool")
    ]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"seeds": 0}, "from 1 to 100 seeds"),
        ({"layers": []}, "needs layers"),
        ({"layers": [("block1", "nowhere")]}, "Unknown layer of resnet-narrow 'nowhere'"),
        ({"budget_seconds": 0.0}, "such as 2h"),
        ({"students": [network_of(ROBUST)]}, "the same network with the same weights"),
        ({"teachers": [network_of(STUDENT)]}, "the same network with the same weights"),
        ({"teachers": [ModelRef(model="cnn-small", weights=str(n)) for n in range(10_000)], "seeds": 100}, "1,000,000"),
        ({"layers": [(str(n), "block1") for n in range(6000)]}, "12,000 runs or more, and a study takes 5,000"),
    ],
)
def test_what_can_not_be_planned(how: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        plan(**how)
    assert len(str(error.value).splitlines()) == 1


def test_a_method_that_compares_no_layers_has_no_pairs() -> None:
    with pytest.raises(InputError, match="A pair is of layers, and Fine-tuning compares none"):
        plan_pairs(demo(method={"name": "fine-tuning"}))


# Its table


def test_a_row_a_pair_and_seed_and_their_means(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = submit_study(plan(seeds=2, layers=[("block1", "block2")], random_teachers=True))
    keys = ["fine-tuning-0", "same-alpha-0", "pair-0-0", "pair-0-1", "pair-0-2"]
    assert [variant.key for variant in study.variants] == keys
    finish_pairs(study, dict(zip(keys, (0.5, 0.55, 0.7, 0.45, 0.52), strict=True)))
    found = pairs_of(study)
    assert tuple(found.table.columns) == COLUMNS
    assert len(found.done) == 6
    first = found.table.iloc[0]
    names = ("teacher", "teacher_layer", "student", "student_layer", "control", "seed", "data", "teacher_model")
    assert [first[name] for name in names] == [
        ROBUST, "block1", STUDENT, "block2", "none", 0, "fashion-mnist-small", "resnet-narrow",
    ]  # fmt: skip
    values = {"robust_after": 0.7, "robust_before": 0.4, "robust_fine_tuning": 0.5, "robust_same_alpha": 0.55}
    values |= {"gain": 0.2, "gain_held_out": 0.1, "gain_same_alpha": 0.15, "cka_before": 0.2, "cka_after": 0.7}
    assert {name: first[name] for name in values} == pytest.approx(values)
    assert np.isnan(found.table["validation_robust"].astype(float)).all()
    table = found.summary()
    assert table["teacher"].tolist() == [ROBUST, "random Narrow ResNet", GEOMETRIC]
    assert table["gain"].tolist() == pytest.approx([0.2, 0.02, -0.05]) and set(table["seeds"]) == {2}
    assert table["control"].tolist() == ["none", "random-weights", "none"]
    assert table["gain_half"].tolist() == pytest.approx([0.0] * 3, abs=1e-9), "every seed gained the same"

    out = tmp_path / "pairs.parquet"
    assert main(["study", study.id, "--format", "parquet", "--out", str(out)]) == 0
    pd.testing.assert_frame_equal(pd.read_parquet(out), found.done, check_dtype=False)
    assert main(["study", study.id]) == 0
    said = capsys.readouterr().out
    assert f"| {ROBUST} | block1 | {STUDENT} | block2 | 2 | +20.0 ± 0.0 | 70.5 | 40.0 | 35.2 | 90.0 |" in said
    assert main(["study", study.id, "--format", "parquet"]) == 2
    assert main(["study", study.id, "--format", "latex"]) == 2


def test_what_is_not_done_has_blanks_and_no_mean() -> None:
    study = submit_study(plan(layers=[("block1", "block2")]))
    finish_pairs(study, {"pair-0-0": 0.7})
    found = pairs_of(study)
    assert found.table["state"].tolist() == ["done", "queued"]
    assert found.table["gain"].isna().all(), "there is nothing to be over yet"
    assert found.summary()["seeds"].tolist() == [1]
    assert found.progress.left_seconds == 30.0
    assert found.progress.spent_seconds == 10.0


def test_the_compare_page_has_a_row_a_pair_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    study = submit_study(plan(layers=[("block1", "block2")], budget_seconds=30.0))
    app = show("compare")
    assert "The first pair is yet to be done" in words(app)
    finish_pairs(study, {"fine-tuning-0": 0.5, "same-alpha-0": 0.5, "pair-0-0": 0.7})
    again(app)
    (table,) = [element.value for element in app.dataframe]
    assert table[["Teacher", "Guiding layer", "Seeds"]].to_numpy().tolist() == [[ROBUST, "block1", 1]]
    assert table["Gain"].tolist() == pytest.approx([20.0])
    assert "Time: 30 s of 30 s spent" in words(app)
    assert "3 of 4 runs done, 1 queued; about 10 s left" in app.get("progress")[0].proto.text
    end_of_budget(study.run_ids[0], seconds=0.0)
    again(app)
    assert states_of(study) == {"done": 3, "cancelled": 1}
    assert "1 stopped" in app.get("progress")[0].proto.text
    assert "An hour more" in [button.label for button in app.button]
    next(button for button in app.button if button.label == "An hour more").click()
    again(app)
    assert states_of(study) == {"done": 3, "queued": 1}
    assert "1 queued" in app.get("progress")[0].proto.text


# Its time, its stops


def test_a_budget_stops_what_was_not_begun_and_more_time_goes_on_with_it() -> None:
    study = submit_study(plan(budget_seconds=25.0))
    finish_pairs(study, {"fine-tuning-0": 0.5})
    first = study.run_ids[0]
    assert end_of_budget(first, seconds=10.0) is None
    finish_pairs(study, {"same-alpha-0": 0.5}, 6.0)
    said = end_of_budget(first, seconds=9.0)
    assert said == "The study's budget of 25 s is used up; extend it to go on."
    assert states_of(study) == {"done": 2, "cancelled": 10}
    assert {run.reason for run in runs_of(study).values() if run.state == "cancelled"} == {said}
    assert runs.RunStore().claim_oldest(["cpu"]) is None
    longer = extend_study(study.id, 60.0)
    assert longer.budget_seconds == 85.0, "it is the run under way whose seconds made it"
    assert states_of(longer) == {"done": 2, "queued": 10}
    assert read_study(study.id) == longer
    finish_pairs(longer, {variant.key: 0.5 for variant in longer.variants[:5]}, 80.0)
    with pytest.raises(InputError, match="1 min 25 s is used up; extend"):
        resume_study(study.id)
    with pytest.raises(InputError, match="by some time"):
        extend_study(study.id, 0.0)
    with pytest.raises(InputError, match="no budget"):
        extend_study(submit_study(plan(layers=[("block1", "block3")])).id, 60.0)


def test_what_was_done_before_a_study_costs_it_nothing() -> None:
    first = submit_study(plan(layers=[("block1", "block2")]))
    finish_pairs(first, {"fine-tuning-0": 0.5, "pair-0-0": 0.6})
    second = submit_study(plan(layers=[("block1", "block2")], budget_seconds=5.0))
    assert second.run_ids == first.run_ids
    assert progress_of(second).spent_seconds == 0.0 and progress_of(first).spent_seconds == 20.0


def test_stop_retry_and_resume(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bird_backend.studies.progress.ensure_supervisor", lambda: None)
    study, store = submit_study(plan(layers=[("block1", "block2")])), runs.RunStore()
    failed, running = store.claim_oldest(["cpu"]), None
    assert failed is not None
    store.finish(failed.id, "failed", reason="It broke.")
    running = store.claim_oldest(["cpu"])
    assert running is not None
    stop_study(study.id)
    assert states_of(study) == {"failed": 1, "running": 1, "cancelled": 2}
    assert store.is_cancel_requested(running.id)
    store.finish(running.id, "cancelled", reason="Cancelled.")
    assert main(["study", study.id, "--retry"]) == 0
    assert states_of(study) == {"queued": 1, "cancelled": 3}
    assert main(["study", study.id, "--resume"]) == 0
    assert states_of(study) == {"queued": 4}
    assert main(["study", study.id, "--stop"]) == 0
    assert states_of(study) == {"cancelled": 4}
    assert main(["study", study.id, "--stop", "--retry"]) == 2
    assert main(["study", study.id, "--extend", "soon"]) == 2
    assert "A span of time is such as 2h" in capsys.readouterr().err


def test_more_seeds_are_queued_after_those_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bird_backend.studies.progress.ensure_supervisor", lambda: None)
    study = submit_study(plan(layers=[("block1", "block2")], seeds=2, budget_seconds=100.0))
    counts = {variant.key: 0.5 for variant in study.variants}
    finish_pairs(study, counts)
    assert main(["study", study.id, "--seeds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {"done": 8, "queued": 8}
    longer = read_study(study.id)
    assert longer.seeds == (0, 1, 2, 3) and longer.members[:8] == study.members
    asked = {(member.variant, member.seed): runs_of(longer)[member.run or ""].spec for member in longer.members}
    whole = plan(layers=[("block1", "block2")], seeds=4)
    for variant, seed in whole.asked:
        found, expected = asked[variant.key, seed], whole.spec(variant, seed)
        assert found.model_copy(update={"title": ""}) == expected.model_copy(update={"title": ""})
    finish_pairs(longer, counts)
    assert pairs_of(longer).summary()["seeds"].tolist() == [4, 4]
    with pytest.raises(InputError, match="1 min 40 s is used up; extend"):
        add_seeds(study.id, 1)
    assert main(["study", study.id, "--seeds", "1", "--extend", "1h"]) == 0
    assert states_of(read_study(study.id)) == {"done": 16, "queued": 4}
    for count, said in ((0, "not 0 more"), (96, "not 96 more"), (-1, "not -1 more")):
        with pytest.raises(InputError, match=said):
            add_seeds(study.id, count)
    assert main(["study", study.id, "--seeds", "-1", "--extend", "1h"]) == 2
    assert read_study(study.id).budget_seconds == 3760.0, "what can't be had whole is not had in part"


def test_rows_of_a_ranking_are_planned_by_teacher() -> None:
    robust, geometric = network_of(ROBUST), network_of(GEOMETRIC)
    layers = {robust: [("block1", "block2")], geometric: [("block2", "block2"), ("block3", "block2")]}
    found = plan(layers=layers, random_teachers=True)
    specs = [found.spec(variant, seed) for variant, seed in found.asked]
    pairs = [
        (spec.teacher.weights, spec.pairs[0].teacher) for spec in specs if spec.pairs and spec.control != "same-alpha"
    ]
    assert pairs == [
        (ROBUST, "block1"), (GEOMETRIC, "block2"), (GEOMETRIC, "block3"),
        (None, "block1"), (None, "block2"), (None, "block3"),
    ]  # fmt: skip


def test_what_lost_its_run_gets_another_in_one_go() -> None:
    study = submit_study(plan(layers=[("block1", "block2")]))
    with RunTable().writing() as db:
        db.execute("delete from runs where id in (?, ?)", study.run_ids[:2])
    resumed = resume_study(study.id)
    assert resumed.run_ids[2:] == study.run_ids[2:] and not set(resumed.run_ids[:2]) & set(study.run_ids[:2])
    assert states_of(resumed) == {"queued": 4}
    assert read_study(study.id) == resumed


def test_a_study_of_pairs_from_the_command_line_here_and_now(
    home: Path, tmp_path: Path, transfer_document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_spec(tmp_path, transfer_document | {"training": transfer_document["training"] | {"epochs": 1}})
    how = ["--layers", "block1:block1,block2:block1", "--foreground", "--set", "method.alpha=0.5"]
    assert main(["pairs", str(path), *how]) == 0
    said = capsys.readouterr()
    assert said.out.count("\n| random Small CNN | block") == 2
    study = read_study(next(word for word in said.err.split() if "-study-" in word))
    found = pairs_of(study)
    assert found.done["robust_fine_tuning"].nunique() == 1
    assert found.done["gain"].notna().all() and found.done["gain_same_alpha"].notna().all()
    assert states_of(study) == {"done": 4}
    again, failures = perform_study(Plan.model_validate(study.model_dump()), on_progress=lambda *_: None)
    assert again.run_ids == study.run_ids and not failures, "what is done is not done again"
