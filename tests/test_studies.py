"""Studies kept and found again, and the commands that make, do and print them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fidelity
from bird_backend import studies
from bird_backend.cli import main, study_runner
from bird_backend.errors import Cancelled, InputError, RunError, UnknownNameError
from bird_backend.runs.queue import cancel
from bird_backend.runs.store import RunStore
from bird_backend.runs.table import RunTable
from bird_backend.runs.writing import save_arrays
from bird_backend.studies import (
    begin_study,
    find_study_of,
    plan_methods,
    read_study,
    results,
    resume_study,
    submit_study,
)
from tests.conftest import write_spec
from tests.study_runs import demo, plan_of, right, small

pytestmark = pytest.mark.usefixtures("no_worker")


# On disk


def test_a_study_is_found_again_and_its_runs_are_reused() -> None:
    plan = plan_methods(demo(), methods=["none", "bird", "fine-tuning"], seeds=2, controls=[])
    study = submit_study(plan)
    assert studies.read_study(study.id) == study
    assert studies.list_studies() == [study]
    assert len(study.run_ids) == 4
    for member in study.members:
        run = RunStore().get(member.run or "")
        assert run.spec == plan.spec(plan.variant(member.variant), member.seed)
        assert f"seed {member.seed}" in run.title
    again = submit_study(plan)
    assert again.id != study.id
    assert again.run_ids == study.run_ids
    assert len(RunStore().list()) == 4
    assert studies.states_of(again) == {"queued": 4}


def test_a_study_that_is_not_there_or_damaged() -> None:
    study = submit_study(plan_methods(demo(), methods=["fine-tuning"], seeds=1))
    for name in ("../../etc/passwd", "20200101-000000-study-0000", ""):
        with pytest.raises(UnknownNameError, match="Unknown study"):
            studies.read_study(name)
    with RunTable().writing() as db:
        db.execute("insert into studies values ('20200101-000000-study-0123456789abcdef', 1, '{\"id\": 3')")
    with pytest.raises(InputError, match="damaged"):
        studies.read_study("20200101-000000-study-0123456789abcdef")
    assert studies.list_studies() == [study]


def test_none_alone_is_a_run() -> None:
    plan = plan_methods(demo(), methods=["none"], seeds=2)
    assert [plan.spec(variant, seed).method.name for variant, seed in plan.asked] == ["none", "none"]


# Commands


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_compare_in_the_foreground_reuses_what_is_done(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    spec = write_spec(tmp_path, transfer_document)
    arguments = (
        "--methods",
        "none,fine-tuning,bird",
        "--seeds",
        "2",
        "--controls",
        "none",
        "--set",
        "training.epochs=1",
    )
    code, out, err = call(capsys, "compare", spec, *arguments, "--foreground")
    assert code == 0, err
    assert "4 of 4, BIRD, seed 1" in err
    study = studies.list_studies()[0]
    assert f"Study {study.id}" in out
    assert [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("|")][2:] == [
        "None",
        "Fine-tuning",
        "BIRD",
    ]
    code, out, err = call(capsys, "compare", spec, *arguments, "--foreground", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["states"] == {"done": 4}
    assert [member["run"] for member in document["members"]] == [member.run for member in study.members]
    assert len(RunStore().list()) == 4
    assert call(capsys, "study", study.id, "--format", "csv")[1].startswith("variant,method")
    assert json.loads(call(capsys, "study", study.id, "--json")[1])["complete"]
    assert "4 of 4 done" in call(capsys, "list", "studies")[1]
    latex = call(capsys, "study", study.id, "--format", "latex", "--columns", "gain,robust", "--label", "tab:all")[1]
    assert r"\label{tab:all}" in latex and r" & Seeds & Gain, points & Robust, \% \\" in latex
    assert "did you mean robust" in call(capsys, "study", study.id, "--columns", "robst")[2]
    assert call(capsys, "study", study.id, "--label", "a")[2] == "--label is for --format latex.\n"
    assert call(capsys, "study", study.id, "--format", "html")[2] == "--format is markdown, csv or latex, not 'html'.\n"


def test_a_member_that_fails_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    transfer_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def perform(run_id: str, **_: Any) -> None:
        run = RunStore().get(run_id)
        if run.spec.method.name == "fine-tuning" and run.spec.seed == 0:
            RunStore().finish(run_id, "failed", reason="The loss is not a number.")
            raise RunError("The loss is not a number.")
        save_arrays(
            run.directory.artifacts / "predictions.npz", right({"before": 9, run.spec.method.name: 11}).arrays()
        )
        RunStore().finish(run_id, "done", summary={"seconds": 1.0})

    monkeypatch.setattr(study_runner, "perform", perform)
    spec = write_spec(tmp_path, transfer_document)
    code, out, err = call(
        capsys, "compare", spec, "--methods", "bird,fine-tuning", "--seeds", "2", "--foreground", "--json"
    )
    assert code == 1
    assert err == "Fine-tuning, seed 0: The loss is not a number.\n"
    document = json.loads(out)
    assert document["states"] == {"failed": 1, "done": 7}
    assert document["rows"][1]["problems"] == ["Seed 0 failed: The loss is not a number."]


def test_the_keyboard_stops_the_whole_study(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    transfer_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def perform(run_id: str, **_: Any) -> None:
        RunStore().finish(run_id, "cancelled", reason="Stopped from the keyboard.")
        raise RunError("Stopped from the keyboard.") from KeyboardInterrupt()

    monkeypatch.setattr(study_runner, "perform", perform)
    spec = write_spec(tmp_path, transfer_document)
    code, _, err = call(capsys, "compare", spec, "--methods", "fine-tuning", "--seeds", "2", "--foreground")
    assert (code, err) == (1, "Stopped from the keyboard.\n")
    assert studies.states_of(studies.list_studies()[0]) == {"cancelled": 1, "waiting": 1}


def test_compare_and_ablate_queue(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    spec = write_spec(tmp_path, transfer_document)
    code, out, err = call(capsys, "compare", spec, "--seeds", "1", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["states"] == {"queued": len(document["members"])}
    code, out, err = call(capsys, "ablate", spec, "kernel", "--seeds", "1")
    assert (code, err) == (0, "")
    assert "3 runs" in out
    identifier = out.split(":")[0]
    assert call(capsys, "study", identifier)[0] == 0
    assert "3 of 3 runs are not done yet." in call(capsys, "study", identifier)[1]


def test_commands_refuse_with_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    spec = write_spec(tmp_path, transfer_document)
    other = write_spec(tmp_path, {"kind": "evaluate", "data": "digits", "model": {"model": "cnn-small"}}, "other.json")
    for arguments, message in (
        (("compare", spec, "--seeds", "0"), "not 0"),
        (("compare", spec, "--methods", "brid"), "did you mean bird"),
        (("compare", spec, "--methods", ","), "at least one method"),
        (("compare", spec, "--controls", "rndom-weights"), "did you mean random-weights"),
        (("compare", other), "spec of kind evaluate"),
        (("ablate", spec, "betta"), "did you mean beta"),
        (("study", "20200101-000000-study-0000"), "Unknown study"),
    ):
        code, out, err = call(capsys, *arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1
    assert RunStore().list() == []


def test_a_run_cancelled_from_its_page_stops_only_itself_and_term_stops_all(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    transfer_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = True

    def perform(run_id: str, **_: Any) -> None:
        if asked:
            RunStore().request_cancel(run_id)
        RunStore().finish(run_id, "cancelled", reason="Cancelled.")
        raise Cancelled("Cancelled.")

    monkeypatch.setattr(study_runner, "perform", perform)
    spec = write_spec(tmp_path, transfer_document)
    arguments = ("compare", spec, "--methods", "fine-tuning", "--seeds", "2", "--foreground")
    code, _, err = call(capsys, *arguments)
    assert code == 1
    assert err.count("Cancelled.") == 2
    assert "None of its runs is done." in json.dumps(results(studies.list_studies()[0]).as_dict())
    asked = False
    assert call(capsys, *arguments)[0] == 1
    assert studies.states_of(studies.list_studies()[0]) == {"cancelled": 1, "waiting": 1}


# The benchmark


def test_the_benchmark_cuts_training_images_evenly_and_keeps_the_test() -> None:
    names = [f"{split}/{kind}/{i}.png" for split in ("train", "test") for kind in "ab" for i in range(5)] + ["train/a/"]
    kept = fidelity.chosen(names, 4)
    assert [name for name in kept if name.startswith("train")] == [
        f"train/{kind}/{i}.png" for kind in "ab" for i in (0, 1)
    ]
    assert len(kept) == 4 + 10
    with pytest.raises(SystemExit, match="2 classes"):
        fidelity.chosen(names, 1)


def test_a_stopped_study_goes_on_at_one_word() -> None:
    study = submit_study(plan_of("bird", "fine-tuning", seeds=1))
    store = RunStore()
    for run_id in study.run_ids:
        cancel(run_id)
    assert find_study_of(study.run_ids[0]) == study
    assert {store.get(run_id).state for run_id in study.run_ids} == {"cancelled"}
    assert resume_study(study.id) == study
    assert {store.get(run_id).state for run_id in study.run_ids} == {"queued"}


def test_a_study_of_the_foreground_goes_on_with_what_it_had_not_come_to() -> None:
    study = begin_study(plan_of("bird", "fine-tuning", seeds=1))
    assert study.run_ids == ()
    resumed = resume_study(study.id)
    assert read_study(study.id) == resumed
    assert len(resumed.run_ids) == len(resumed.members)


def test_runs_are_found_by_what_is_in_their_title_and_without_those_of_studies() -> None:
    submit_study(plan_of("bird", "fine-tuning", seeds=1))
    store = RunStore()
    alone = store.create(small(title="One of 100 % alone"))
    assert [run.id for run in store.list(loose=True)] == [alone.id]
    assert [run.id for run in store.list(text="OF 100 % a")] == [alone.id]
    assert store.list(text=alone.id[-6:]) == [alone]
    assert store.count(text="nothing like it") == 0
