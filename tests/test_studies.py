"""Studies: plans checked whole, kept and found again, their tables against numbers worked out by hand, the commands."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks import fidelity
from bird_backend import catalog, measures, settings, studies
from bird_backend.cli import main, studying
from bird_backend.errors import Cancelled, InputError, RunError, UnknownNameError
from bird_backend.measures import CLEAN, Predictions
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import save_arrays
from bird_backend.specs import TransferSpec, load_spec, read_spec, spec_hash
from bird_backend.studies import Plan, Study, plan_ablation, plan_methods, results, submit_study
from tests.conftest import write_spec

CELLS = (CLEAN, ("contrast", 1), ("contrast", 5), ("spatter", 1), ("spatter", 5))
N = 20


def demo(**changes: Any) -> TransferSpec:
    spec = load_spec(read_spec(settings.ASSETS / "examples" / "demo.json") | changes)
    assert isinstance(spec, TransferSpec)
    return spec


def small(**changes: Any) -> TransferSpec:
    """The demo measured in five cells."""
    return demo(evaluation={"corruptions": ["contrast", "spatter"], "severities": [1, 5], "limit": N}, **changes)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bird_backend.studies.store.ensure_supervisor", lambda: None)


# Plans


def test_every_method_at_every_seed_with_one_budget() -> None:
    base = demo(seed=5, save_as="mine")
    plan = plan_methods(base, seeds=3)
    assert plan.seeds == (5, 6, 7)
    keys = [variant.key for variant in plan.variants]
    wanted = [name for name in studies.VARIANTS if name != "soft-labels"]
    wanted.insert(wanted.index("bird") + 1, "bird-random-weights")
    assert keys == wanted
    assert {variant.method for variant in plan.variants} == set(catalog.METHODS) - {"soft-labels"}
    assert len(plan.asked) == 3 * (len(keys) - 1), "the untouched student needs no run of its own"
    specs = [plan.spec(variant, seed) for variant, seed in plan.asked]
    assert len({spec_hash(spec) for spec in specs}) == len(specs)
    for spec in specs:
        assert (spec.training, spec.evaluation, spec.data) == (base.training, base.evaluation, base.data)
        assert (spec.teacher, spec.student, spec.baseline, spec.save_as) == (base.teacher, base.student, False, None)
        assert spec.drawn_pair == base.drawn_pair, "CKA is at the same layers for all"
    starts = {variant.key: variant.start for variant in plan.variants}
    assert starts["fine-tuning"] == "student"
    assert starts["fine-tuning-teacher"] == starts["linear-probe"] == starts["lp-ft"] == "teacher"
    assert plan.controls == ("random-weights",)
    assert any("Soft labels is left out" in note for note in plan.notes)


def test_the_bases_own_method_stays_and_others_take_its_layers() -> None:
    plan = plan_methods(demo(), methods=["bird", "sp", "hints"], controls=["shuffled-batch", "random-weights"])
    specs = {variant.key: plan.spec(variant, 0).method for variant in plan.variants}
    assert list(specs) == ["none", "hints", "sp", "bird", "bird-shuffled-batch", "bird-random-weights"]
    assert specs["bird"] == demo().method
    assert specs["sp"].pairs == specs["hints"].pairs == demo().method.pairs
    assert specs["sp"].beta == 3000, "each method measures on a scale of its own"
    assert {variant.over for variant in plan.variants} == {None}, "there is no fine-tuning to be over"


def test_architectures_that_differ_start_from_the_student() -> None:
    plan = plan_methods(
        demo(
            teacher={"model": "cnn-small"},
            method={"name": "bird", "pairs": [{"teacher": "block1", "student": "block2"}]},
        )
    )
    assert "fine-tuning-teacher" not in [variant.key for variant in plan.variants]
    assert {variant.start for variant in plan.variants} == {"student"}
    assert any(note.startswith("Fine-tuning the teacher is left out") for note in plan.notes)


def test_soft_labels_where_the_classes_agree() -> None:
    base = demo(teacher={"model": "resnet-narrow", "weights": "fashion-student"}, student={"model": "cnn-small"})
    assert "soft-labels" in [variant.key for variant in plan_methods(base).variants]


@pytest.mark.parametrize(
    ("preset", "runs"),
    [("batch-size", 8), ("kernel", 3), ("estimator", 3), ("beta", 7), ("layers", 10)],
)
def test_ablations_vary_one_thing(preset: str, runs: int) -> None:
    base = demo()
    plan = plan_ablation(base, preset, seeds=2)
    assert len(plan.asked) == 2 * runs
    contenders = [variant for variant in plan.variants if variant.role == "contender"]
    assert len({variant.value for variant in contenders}) == len(contenders)
    for variant in contenders:
        spec = plan.spec(variant, 0)
        reference = plan.spec(plan.variant(variant.over or ""), 0)
        assert reference.method.name == "fine-tuning"
        assert spec.training == reference.training
        assert spec.training.epochs == base.training.epochs
        if preset == "batch-size":
            assert (spec.training.batch_size, spec.method) == (variant.value, base.method)
        else:
            assert spec.training == base.training
            varied = {
                name for name, value in spec.method.model_dump().items() if value != base.method.model_dump()[name]
            }
            assert varied <= {"beta": {"alpha", "beta"}, "layers": {"pairs"}}.get(preset, {preset})
        if preset == "beta":
            assert spec.method.alpha + spec.method.beta == pytest.approx(1)


def test_the_teacher_ablation_finds_the_counterpart_of_a_layer() -> None:
    base = demo(student={"model": "cnn-small"})
    plan = plan_ablation(base, "teacher", seeds=1, teachers=["digits-robust-teacher", "fashion-student"])
    assert [variant.value for variant in plan.variants] == [None, "digits-robust-teacher", "fashion-student"]
    assert plan.spec(plan.variants[2], 0).teacher.weights == "fashion-student"


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"seeds": 0}, "from 1 to 100 seeds, not 0"),
        ({}, {"seeds": 101}, "not 101"),
        ({"seed": 2**31 - 1}, {"seeds": 2}, "Seeds end at"),
        ({}, {"methods": ["brid"]}, "Unknown method 'brid'"),
        ({}, {"methods": []}, "at least one method"),
        ({}, {"methods": ["soft-labels"]}, "classes"),
        ({"teacher": {"model": "cnn-small"}}, {"methods": ["fine-tuning-teacher"]}, "one architecture"),
        ({}, {"controls": ["random"]}, "Unknown control 'random'"),
        ({"data": "zip:/nowhere/at-all.zip"}, {}, "nothing at /nowhere"),
        ({"teacher": {"model": "resnet-narrow", "weights": "digits-teacher"}}, {}, "Unknown checkpoint"),
        ({"training": {"batch_size": 8000}, "data": "digits"}, {"methods": ["bird"]}, "batch of 8000"),
    ],
)
def test_a_comparison_that_can_not_be_is_refused_before_anything_is_queued(
    changes: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    document = demo().model_dump(mode="json") | changes
    with pytest.raises(InputError) as error:
        submit_study(plan_methods(_spec(document), **arguments))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert RunStore().list() == []
    assert studies.list_studies() == []


@pytest.mark.parametrize(
    ("changes", "preset", "arguments", "message"),
    [
        ({}, "betta", {}, "Unknown ablation 'betta'"),
        ({}, "beta", {"seeds": 0}, "not 0"),
        ({}, "beta", {"teachers": ["x"]}, "Teachers are for"),
        ({}, "teacher", {"teachers": ["digits-robust-teacher"]}, "two teachers"),
        ({}, "teacher", {"teachers": ["digits-robust-teacher", "fashion-student"]}, "the same network"),
        ({"method": {"name": "oracle"}}, "beta", {}, "compare layers"),
        ({"method": {"name": "oracle"}}, "kernel", {}, "BIRD's kernel"),
        ({"method": {"name": "oracle"}}, "teacher", {}, "look at a teacher"),
        ({"method": {"name": "fine-tuning"}}, "batch-size", {}, "another method"),
    ],
)
def test_an_ablation_that_can_not_be_is_refused(
    changes: dict[str, Any], preset: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        plan_ablation(demo(**changes), preset, **arguments)
    assert message in str(error.value)


def _spec(document: dict[str, Any]) -> TransferSpec:
    if document["teacher"]["model"] == "cnn-small":
        document["method"] = {"name": "fine-tuning"}
    spec = load_spec(document)
    assert isinstance(spec, TransferSpec)
    return spec


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
    assert [path.suffix for path in settings.studies_dir().iterdir()] == [".json", ".json"]


def test_a_study_that_is_not_there_or_damaged() -> None:
    study = submit_study(plan_methods(demo(), methods=["fine-tuning"], seeds=1))
    for name in ("../../etc/passwd", "20200101-000000-study-0000", ""):
        with pytest.raises(UnknownNameError, match="Unknown study"):
            studies.read_study(name)
    (settings.studies_dir() / "20200101-000000-study-0000.json").write_text('{"id": 3')
    with pytest.raises(InputError, match="damaged"):
        studies.read_study("20200101-000000-study-0000")
    assert studies.list_studies() == [study]


def test_none_alone_is_a_run() -> None:
    plan = plan_methods(demo(), methods=["none"], seeds=2)
    assert [plan.spec(variant, seed).method.name for variant, seed in plan.asked] == ["none", "none"]


# Tables


def right(counts: Mapping[str, int]) -> Predictions:
    """Of 20 images each model gets the first `count` right, in every cell; of clean ones one more."""
    answers = {
        model: np.stack([np.where(np.arange(N) < count + (cell == CLEAN), 0, 1) for cell in CELLS]).astype(np.int16)
        for model, count in counts.items()
    }
    return Predictions(
        cells=CELLS,
        images=np.arange(N),
        labels=np.zeros(N, int),
        predicted=answers,
        confidence={model: np.full(values.shape, 0.5, np.float16) for model, values in answers.items()},
    )


def finished(plan: Plan, counts: Mapping[str, Sequence[int | None]]) -> Study:
    """A study whose runs found `counts[variant][seed]` right answers; those without a count are not done."""
    study, store = submit_study(plan), RunStore()
    for member in study.members:
        place = plan.seeds.index(member.seed)
        count = counts[member.variant][place]
        if count is None:
            continue
        run = store.get(member.run or "")
        store.claim(run.id)
        model = plan.variant(member.variant).method
        before = counts.get("none", [8, 9, 10])[place]
        save_arrays(run.directory.artifacts / "predictions.npz", right({"before": before or 0, model: count}).arrays())
        cka = {"cka_before": 0.5, "cka_after": 0.5 + count / 100, "cka_n": 64, "cka_estimator": "debiased"}
        store.finish(
            run.id, "done", summary={**cka, "cka": {"after": {"value": 0.9, "null": -0.01}}, "seconds": 10.0 + place}
        )
    return study


def plan_of(*names: str, seeds: int = 3, controls: Sequence[str] = ("random-weights",)) -> Plan:
    return plan_methods(small(), methods=names, seeds=seeds, controls=controls)


COUNTS = {
    "none": [8, 9, 10],
    "fine-tuning": [10, 11, 14],
    "hints": [10, 11, 15],
    "bird": [14, 15, 18],
    "bird-random-weights": [12, 12, 15],
    "oracle": [18, 19, 20],
}
ALL = ("none", "fine-tuning", "hints", "bird", "oracle")


def test_the_table_against_numbers_worked_out_by_hand() -> None:
    table = results(finished(plan_of(*ALL), COUNTS))
    assert table.complete
    for key, counts in COUNTS.items():
        row = table.row(key)
        assert (row.done, row.asked, row.problems) == ((0, 1, 2), (0, 1, 2), ())
        accuracies = np.array(counts) / N
        for name in ("robust", "seen", "held_out"):
            check(row.entries[name], accuracies)
        check(row.entries["clean"], np.minimum(accuracies + 1 / N, 1))
        assert row.entries["pooled"].value is None, "not all held-out kinds were measured"
        if key != "fine-tuning":
            check(row.entries["gain"], accuracies - np.array(COUNTS["fine-tuning"]) / N)
        if key not in ("none", "oracle"):
            floor, ceiling = np.array(COUNTS["none"]), np.array(COUNTS["oracle"])
            check(row.entries["pgr"], (np.array(counts) - floor) / (ceiling - floor))
        if key != "none":
            check(row.entries["cka_after"], 0.5 + np.array(counts) / 100)
            check(row.entries["seconds"], np.array([10.0, 11.0, 12.0]))
    for blank in (("fine-tuning", "gain"), ("none", "pgr"), ("oracle", "pgr"), ("none", "seconds")):
        entry = table.row(blank[0]).entries[blank[1]]
        assert (entry.value, entry.interval) == (None, None)
        assert entry.reason


def check(entry: studies.Entry, by_seed: np.ndarray) -> None:
    assert list(entry.by_seed.values()) == pytest.approx(by_seed.tolist(), abs=1e-6)
    mean, error = by_seed.mean(), stats.sem(by_seed)
    assert entry.value == pytest.approx(mean, abs=1e-6)
    assert entry.interval is not None
    assert (entry.interval.n, entry.interval.kind) == (len(by_seed), "Student's t, over seeds")
    half = error * stats.t.ppf(0.975, len(by_seed) - 1)
    assert (entry.interval.low, entry.interval.high) == pytest.approx((mean - half, mean + half), abs=1e-6)


def test_best_is_beyond_noise_and_never_the_oracle_or_a_control() -> None:
    table = results(finished(plan_of(*ALL), COUNTS))
    best = {row.variant.key: {name for name, entry in row.entries.items() if entry.best} for row in table.rows}
    assert best.pop("bird") == {"clean", "robust", "seen", "held_out", "gain", "pgr"}
    assert not any(best.values())
    noisy = COUNTS | {"bird": [14, 15, 13]}
    table = results(finished(plan_of(*ALL, seeds=3), noisy))
    assert not any(entry.best for row in table.rows for entry in row.entries.values())


def test_a_gain_is_held_against_the_controls() -> None:
    counts = COUNTS | {"hints": [10, 11, 15], "bird": [13, 15, 18]}
    table = results(finished(plan_of(*ALL), counts))
    assert table.row("hints").entries["gain"].remark == "smaller than the control's"
    assert table.row("bird").entries["gain"].remark == "within noise of the control's", "by 1, 3 and 3 images"
    assert table.row("oracle").entries["gain"].remark == ""
    assert "+1.7 ± 7.2†" in table.as_markdown()
    assert {"†", "‡"} <= set("".join(table.notes))
    assert results(finished(plan_of(*ALL, seeds=3), COUNTS)).row("bird").entries["gain"].remark == ""


def test_while_runs_are_under_way_nothing_is_best_and_one_seed_is_over_images() -> None:
    counts: dict[str, list[int | None]] = {key: [count, None, None] for key, (count, *_) in COUNTS.items()}
    counts["bird"] = [14, 15, None]
    table = results(finished(plan_of(*ALL), counts))
    assert not table.complete
    assert table.states == {"done": 6, "queued": 9}
    assert not any(entry.best for row in table.rows for entry in row.entries.values())
    clean, gain = (table.row("fine-tuning").entries[name].interval for name in ("clean", "robust"))
    assert clean == measures.wilson(11, N)
    assert gain is not None
    assert gain.kind == "normal, over images"
    paired = table.row("bird").entries["gain"]
    assert list(paired.by_seed) == [0], "fine-tuning has no other seed yet"
    difference = np.where(np.arange(N) < 14, 1.0, 0.0) - np.where(np.arange(N) < 10, 1.0, 0.0)
    assert paired.interval is not None
    expected = measures.over_images(difference)
    assert (paired.value, paired.interval.low) == pytest.approx((expected.value, expected.low), abs=1e-6)
    text = table.as_markdown()
    assert "one seed" in text
    assert "Student's t" in text
    assert "9 of 15 runs are not done yet." in text


def test_without_a_gap_there_is_no_pgr() -> None:
    table = results(finished(plan_of(*ALL), COUNTS | {"oracle": [8, 9, 11]}))
    entry = table.row("bird").entries["pgr"]
    assert entry.value is None
    assert "no gap" in entry.reason
    assert "PGR is blank" in table.as_markdown()


def test_a_run_that_failed_is_left_out_and_said_so() -> None:
    study = finished(plan_of("fine-tuning", "bird", controls=()), {"fine-tuning": [10, 11, 12], "bird": [14, 15, None]})
    (missing,) = (member.run or "" for member in study.members if (member.variant, member.seed) == ("bird", 2))
    RunStore().claim(missing)
    RunStore().finish(missing, "failed", reason="The disk is full.")
    table = results(study)
    assert table.complete
    row = table.row("bird")
    assert row.done == (0, 1)
    assert row.problems == ("Seed 2 failed: The disk is full.",)
    assert list(row.entries["gain"].by_seed) == [0, 1]
    assert "BIRD: Seed 2 failed: The disk is full." in table.as_markdown()
    assert "No control was run" in table.as_markdown()


def test_a_run_on_other_images_is_not_compared() -> None:
    study = finished(plan_of("fine-tuning", "bird", seeds=1, controls=()), {"fine-tuning": [10], "bird": [14]})
    run = RunStore().get(study.members[1].run or "")
    moved = right({"before": 8, "bird": 14})
    arrays = moved.arrays() | {"images": np.arange(N) + 1}
    save_arrays(run.directory.artifacts / "predictions.npz", arrays)
    table = results(study)
    assert table.row("bird").done == ()
    assert "other images" in table.row("bird").problems[0]


def test_damaged_predictions_are_a_sentence() -> None:
    study = finished(plan_of("fine-tuning", seeds=1), {"fine-tuning": [10]})
    run = RunStore().get(study.run_ids[0])
    (run.directory.artifacts / "predictions.npz").write_bytes(b"no numbers")
    assert "can't be read" in results(study).row("fine-tuning").problems[0]


# Their three forms


def test_the_table_in_three_forms() -> None:
    table = results(finished(plan_of(*ALL), COUNTS))
    lines = [line for line in table.as_markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(COUNTS)
    assert len({len(line) for line in lines}) == 1, "columns are aligned"
    assert any("| **78.3 ± 25.9** |" in line for line in lines if "BIRD  " in line), lines
    rows = list(csv.DictReader(io.StringIO(table.as_csv())))
    assert [row["method"] for row in rows] == ["none", "fine-tuning", "hints", "bird", "bird", "oracle"]
    bird = rows[3]
    assert float(bird["robust"]) == pytest.approx(47 / 60)
    assert bird["robust_interval"] == "Student's t, over seeds"
    assert (bird["role"], bird["control"], bird["start"]) == ("contender", "none", "student")
    assert "robust" in bird["best_in"].split()
    assert rows[4]["control"] == "random-weights"
    latex = table.as_latex()
    assert latex.count(r" \\") == 1 + len(COUNTS)
    assert r"\textbf{78.3 $\pm$ 25.9}" in latex
    body = latex[latex.index(r"\toprule") : latex.index(r"\bottomrule")]
    assert all(line.count(" & ") == len(studies.FIGURES) + 1 for line in body.splitlines() if line.endswith(r"\\"))
    assert json.loads(json.dumps(table.as_dict(), allow_nan=False))["rows"][3]["figures"]["robust"]["best"]


def test_titles_can_not_break_a_table() -> None:
    base = small(title="50 % | _a_ & $b$ #1 {c} \\ ~ `d` <e>")
    table = results(submit_study(plan_methods(base, methods=["fine-tuning"], seeds=1)))
    heading = table.as_markdown().splitlines()[0]
    assert heading == r"### Methods: 50 % \| \_a\_ & $b$ #1 {c} \\ ~ \`d\` \<e>"
    caption = next(line for line in table.as_latex().splitlines() if line.startswith(r"\caption"))
    assert caption == (
        r"\caption{Methods: 50 \% | \_a\_ \& \$b\$ \#1 \{c\} \textbackslash{} \textasciitilde{} `d` <e>}"
    )


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
    assert call(capsys, "study", study.id, "--format", "html")[2] == "--format is markdown, csv, latex, not 'html'.\n"


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

    monkeypatch.setattr(studying, "perform", perform)
    spec = write_spec(tmp_path, transfer_document)
    code, out, err = call(
        capsys, "compare", spec, "--methods", "bird,fine-tuning", "--seeds", "2", "--foreground", "--json"
    )
    assert code == 1
    assert err == "Fine-tuning, seed 0: The loss is not a number.\n"
    document = json.loads(out)
    assert document["states"] == {"failed": 1, "done": 5}
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

    monkeypatch.setattr(studying, "perform", perform)
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

    monkeypatch.setattr(studying, "perform", perform)
    spec = write_spec(tmp_path, transfer_document)
    arguments = ("compare", spec, "--methods", "fine-tuning", "--seeds", "2", "--foreground")
    code, _, err = call(capsys, *arguments)
    assert code == 1
    assert err.count("Cancelled.") == 2
    assert "None of its runs is done." in json.dumps(results(studies.list_studies()[0]).as_dict())
    asked = False
    assert call(capsys, *arguments)[0] == 1
    assert studies.states_of(studies.list_studies()[0]) == {"cancelled": 1, "waiting": 1}


def test_the_benchmark_cuts_training_images_evenly_and_keeps_the_test() -> None:
    names = [f"{split}/{kind}/{i}.png" for split in ("train", "test") for kind in "ab" for i in range(5)] + ["train/a/"]
    kept = fidelity.chosen(names, 4)
    assert [name for name in kept if name.startswith("train")] == [
        f"train/{kind}/{i}.png" for kind in "ab" for i in (0, 1)
    ]
    assert len(kept) == 4 + 10
    with pytest.raises(SystemExit, match="2 classes"):
        fidelity.chosen(names, 1)
