"""A study's table against numbers worked out by hand, and its three forms."""

from __future__ import annotations

import csv
import io
import json
import re
from importlib import metadata

import numpy as np
import pytest
from scipy import stats

from bird_backend import measures, studies
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import save_arrays
from bird_backend.studies import plan_ablation, plan_methods, results, submit_study
from tests.study_runs import ALL, COUNTS, N, finished, plan_of, right, small

pytestmark = pytest.mark.usefixtures("no_worker")


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
    best = {row.variant.key: {name for name in table.columns if row.entries[name].best} for row in table.rows}
    assert best.pop("bird") == {"clean", "robust", "seen", "held_out", "gain", "pgr"}
    assert not any(best.values())
    noisy = COUNTS | {"bird": [14, 15, 13]}
    table = results(finished(plan_of(*ALL, seeds=3), noisy))
    assert not any(row.entries[name].best for row in table.rows for name in table.columns)


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
    assert all(line.count(" & ") == len(table.columns) + 1 for line in body.splitlines() if line.endswith(r"\\"))
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


def test_columns_and_a_label_can_be_chosen() -> None:
    table = results(finished(plan_of("fine-tuning", "bird"), COUNTS))
    latex = table.as_latex(["gain", "mce"], label="tab:methods")
    assert latex.startswith(r"% Needs \usepackage{booktabs} and \usepackage{adjustbox}.")
    assert latex.index(r"\caption") < latex.index(r"\label{tab:methods}") < latex.index(r"\begin{tabular}{lrrr}")
    header = next(line for line in latex.splitlines() if "Seeds" in line)
    assert header == r" & Seeds & Gain, points & mCE, \% \\"
    assert table.as_markdown(["mce"]).splitlines()[2].count("|") == 4
    assert next(csv.reader(io.StringIO(table.as_csv(["mce"]))))[8:10] == ["mce", "mce_low"]
    with pytest.raises(UnknownNameError, match="Unknown figure 'robst': did you mean robust"):
        table.as_csv(["robst"])
    with pytest.raises(InputError, match="A label is of letters"):
        table.as_latex(label="a}b")


def test_pandas_writes_latex_with_what_streamlit_brings() -> None:
    """`DataFrame.to_latex` wants jinja2, which this project does not list: its requirement streamlit's altair does."""

    def needs(package: str) -> set[str]:
        asked = [requirement for requirement in metadata.requires(package) or () if "extra ==" not in requirement]
        return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in asked}

    assert "altair" in needs("streamlit")
    assert "jinja2" in needs("altair")


# What it marks


def test_an_ablations_setting_is_chosen_by_validation_and_never_by_a_test_figure() -> None:
    plan = plan_ablation(small(), "kernel", seeds=2)
    counts = {variant.key: [10, 11] for variant in plan.variants}
    best_of_test, best_of_validation = (variant.key for variant in plan.variants if variant.value is not None)
    counts |= {best_of_test: [18, 19]}
    table = results(finished(plan, counts, validation={best_of_validation: 0.6}))
    marked = {(row.variant.key, name) for row in table.rows for name in row.entries if row.entries[name].best}
    assert marked == {(best_of_validation, "validation_robust")}
    assert table.chosen == best_of_validation
    label = table.row(best_of_validation).variant.label
    assert f"Bold is the highest of Validation, robust, by which one would choose {label}" in " ".join(table.notes)
    assert table.columns[:2] == ("validation_robust", "validation")
    heading = next(line for line in table.as_markdown().splitlines() if "Seeds" in line)
    assert heading.index("Validation, robust, %") < heading.index("Robust, %")


def test_every_method_that_trains_says_what_it_began_as() -> None:
    table = results(finished(plan_of(*ALL), COUNTS))
    (said,) = [note for note in table.notes if note.startswith("Begun with")]
    for row in table.rows:
        assert (row.variant.label in said) == (row.variant.role != "floor")
