"""The compare page's studies in every state, what starts one, and their charts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app import charts
from app.backend import data
from app.backend.studies import curve, list_studies, plan_study, results, runs_of
from app.charts.frame import Look
from app.charts.study import Series, ablation_panel, looks, study_curves
from app.look.palette import swaps
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.runs.store import RunStore
from bird_backend.specs import CONTROLS
from bird_backend.studies import plan_ablation, submit_study
from bird_backend.transfer import METHODS
from tests import synthetic
from tests.pages import again, components, show, words


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    monkeypatch.setattr(data, "demo_document", synthetic.transfer_document)


def figure_of(app: Any, name: str) -> Any:
    return json.loads(str(components(app)[name]["figure"]))


def tables(app: Any) -> str:
    """Every table of plain HTML on the page."""
    return "\n".join(element.proto.body for element in app.main.get("html"))


def test_an_empty_home_offers_to_compare_everything_on_the_demos_pair() -> None:
    app = show("compare")
    assert "14 variants × 3 seeds = **42 runs**" in words(app)
    assert "about" in words(app)
    app.number_input("demo_seeds").set_value(2)
    again(app)
    app.button("demo_start").click()
    again(app)
    [study] = list_studies()
    assert (len(study.asked), study.controls, study.seeds) == (28, ("random-weights", "same-alpha"), (0, 1))
    assert len(RunStore().list(kind="transfer", limit=100)) == 28
    assert app.query_params["study"] in (study.id, [study.id])
    assert "0 of 28 runs done, 28 queued" in _progress(app)


def test_a_study_that_is_under_way_says_how_far_each_run_is() -> None:
    study = synthetic.write_study(seeds=2, done=0.4, running=1)
    app = show("compare")
    assert app.query_params["study"] in (study.id, [study.id])
    assert "of 26 runs done, 1 running, " in _progress(app)
    assert "1 failed" in _progress(app)
    links = " ".join(element.proto.label for element in app.get("page_link"))
    assert "The loss is not a number after step 31." in links
    assert "50%" in links
    assert "best" not in tables(app)
    assert len(figure_of(app, "study_curves")["data"]) >= 10
    app.button(f"stop_{study.id}").click()
    again(app)
    left = runs_of(study).values()
    assert not any(run.state == "queued" for run in left)
    assert all(run.cancel_requested is not None for run in left if run.state == "running")


def test_a_full_study_shows_the_table_and_its_control() -> None:
    study = synthetic.write_study(seeds=2)
    app = show("compare", study=study.id)
    text, said = tables(app), words(app)
    for row in results(study).rows:
        assert f">{row.variant.label}</th>" in text
    for word in ("Robust, %", "Held out, %", "PGR, %", "CKA before", "Seconds", "the best", "below the control"):
        assert word in text
    assert "Student's t over seeds (0, 1)" in said
    assert "Control: BIRD, random teacher" in said
    assert "Soft labels is left out" in said
    assert "All 26 runs are done" in said


@pytest.mark.parametrize(("name", "mark"), [("Markdown", "| --"), ("CSV", "variant,method"), ("LaTeX", "\\toprule")])
def test_the_table_can_be_copied_in_three_formats(name: str, mark: str) -> None:
    synthetic.write_study(preset="estimator", seeds=1)
    app = show("compare")
    next(group for group in app.main.get("button_group") if group.key == "table_format").set_value(name)
    again(app)
    assert mark in app.code[0].value
    assert any(element.proto.label == f"Download as {name}" for element in app.main.get("download_button"))


def test_an_ablation_is_small_panels() -> None:
    study = synthetic.write_study(preset="beta", seeds=2)
    shown = components(show("compare", study=study.id))
    assert {
        f"panel_{name}" for name in ("validation_robust", "gain", "robust", "held_out", "cka_after", "seconds")
    } <= shown.keys()
    panel = json.loads(str(shown["panel_robust"]["figure"]))
    points = next(trace for trace in panel["data"] if trace["mode"] == "markers")
    assert list(points["x"]) == ["0.1", "0.3", "0.5", "0.7", "0.9", "0.99"]


def test_an_ablation_has_no_panel_of_what_it_does_not_try() -> None:
    base = load_spec(synthetic.transfer_document(behaviour={"name": "corruptions", "conditions": ["contrast"]}))
    assert isinstance(base, TransferSpec)
    study = submit_study(plan_ablation(base, "beta", seeds=1), start_worker=False)
    assert study.not_asked == {"held_out"}
    app = show("compare", study=study.id)
    assert "panel_robust" in components(app)
    assert "panel_held_out" not in components(app)


def test_seeds_can_be_seen_one_by_one() -> None:
    study = synthetic.write_study(preset="kernel", seeds=2)
    together = figure_of(show("compare", study=study.id), "study_curves")
    apart = figure_of(show("compare", study=study.id, singles="true"), "study_curves")
    assert sum(trace.get("fill") == "toself" for trace in together["data"]) == 3
    assert len(apart["data"]) == 6


@pytest.mark.parametrize("asked", ["nonsense", "../../etc/passwd", "20200101-000000-study-0000"])
def test_an_unknown_study_is_said_in_words(asked: str) -> None:
    synthetic.write_study(preset="kernel", seeds=1, done=0)
    said = words(show("compare", study=asked))
    assert "There is no such study" in said
    assert asked in said


def test_runs_picked_by_hand_are_still_there() -> None:
    synthetic.write_study(preset="kernel", seeds=1)
    app = show("compare", of="runs")
    assert app.multiselect("_compared").value == []
    assert "Choose at least two runs" in words(app)


# What starts a study


def test_no_seeds_is_one_sentence_and_a_button_that_can_not_be_pressed() -> None:
    app = show("compare")
    app.number_input("demo_seeds").set_value(0)
    again(app)
    assert app.button("demo_start").disabled
    assert any("from 1 to" in error.value for error in app.error)


def test_what_is_done_already_is_not_counted_again() -> None:
    synthetic.write_study(preset="kernel", seeds=1)
    app = show("compare")
    app.selectbox("again_preset").select("kernel")
    again(app)
    app.number_input("again_seeds").set_value(2)
    again(app)
    assert "3 of them are there already" in words(app)


def test_launch_compares_for_the_draft_at_hand() -> None:
    app = show("launch", epochs="7")
    app.selectbox("launch_preset").select("batch-size")
    again(app)
    app.number_input("launch_seeds").set_value(1)
    again(app)
    assert app.button("launch_start").label == "Vary the batch size"
    app.button("launch_start").click()
    again(app)
    [study] = list_studies()
    assert (study.preset, study.base["training"]["epochs"], len(study.asked)) == ("batch-size", 7, 8)


def test_an_ablation_of_what_the_method_has_not_is_said_in_words() -> None:
    app = show("launch", method="rkd")
    app.selectbox("launch_preset").select("kernel")
    again(app)
    assert app.button("launch_start").disabled
    assert any("varies BIRD's kernel" in error.value for error in app.error)


# Charts


def test_the_line_is_the_mean_over_seeds_and_the_band_reaches_from_lowest_to_highest() -> None:
    frames = {
        seed: pd.DataFrame({"step": [0, 10, 20], "epoch": [0.0, 1.0, 2.0], "value": values})
        for seed, values in enumerate(([0.1, 0.2, 0.6], [0.3, 0.6, 0.8], [0.2, 0.4, 0.1]))
    }
    frames[1] = frames[1].iloc[:2]  # one that has not come so far
    series = [Series(label="One", look=Look(colour="#0072b2"), by_seed=frames)]
    band, line = study_curves(series, title="CKA", x="epoch", shares=False, singles=False).data
    np.testing.assert_allclose(line.y, [0.2, 0.4, 0.35])
    np.testing.assert_allclose(line.x, [0, 1, 2])
    assert [count for (count,) in line.customdata] == [3, 3, 2]
    np.testing.assert_allclose(band.y, [0.3, 0.6, 0.6, 0.1, 0.2, 0.1])
    apart = study_curves(series, title="CKA", x="step", shares=False, singles=True)
    assert [len(trace.x) for trace in apart.data] == [3, 2, 3]
    assert not study_curves([], title="CKA", shares=True, singles=False).data


def test_every_method_has_a_look_of_its_own_in_the_palettes_colours() -> None:
    arms = [charts.arm(name) for name in METHODS]
    assert {arm.label for arm in arms} == {facts.title for facts in METHODS.values()}
    assert len({(arm.look.colour, arm.look.dash) for arm in arms}) == len(arms)
    assert {arm.look.colour for arm in arms} <= set(swaps())


@pytest.mark.parametrize("preset", ["methods", "layers", "beta", "batch-size"])
def test_the_lines_of_a_study_can_be_told_apart(preset: str) -> None:
    plan = plan_study(synthetic.transfer_document(), preset, seeds=1, controls=tuple(CONTROLS))
    trained = [variant for variant in plan.variants if variant.role not in ("floor", "reference")]
    found = looks(plan.variants)
    assert len({found[variant.key] for variant in trained}) == len(trained)


def test_a_curve_is_of_the_runs_own_arm() -> None:
    run = synthetic.write_transfer("done")
    metrics = data.metrics(run)
    own = metrics[(metrics["arm"] == "bird") & (metrics["type"] == "snapshot")].sort_values("step")
    found = curve(run, "snapshot", "cka")
    np.testing.assert_allclose(found["value"], own["cka"])
    np.testing.assert_allclose(found["epoch"], own["step"] / synthetic.PER_EPOCH)
    assert curve(run, "step", "no_such").empty


def test_a_panel_of_nothing_says_so() -> None:
    study = synthetic.write_study(preset="kernel", seeds=1, done=0)
    figure = ablation_panel(results(study).rows, "robust")
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text == "Not measured yet"


def _progress(app: Any) -> str:
    return " ".join(element.proto.text for element in app.get("progress"))
