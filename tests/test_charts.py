"""Intervals against closed forms, packing against what it packed, and figures against the numbers they draw."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from app import charts, data
from app.charts.curves import thin
from app.charts.geometry import atlas, gram_range, pack_gram, pack_points, points_range, unpack_gram
from app.intervals import difference, mean_interval, points, wilson
from app.palette import DARK, LIGHT, swaps
from tests import synthetic


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path))


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (10, 10), (81, 263), (700, 1000)])
def test_wilson_bounds_solve_its_equation(correct: int, n: int) -> None:
    """Each bound p is where the observed share lies 1.96 standard errors of p away."""
    share = correct / n
    for bound in wilson(correct, n):
        assert (share - bound) ** 2 == pytest.approx(1.959964**2 * bound * (1 - bound) / n, abs=1e-9)


def test_wilson_of_nothing_knows_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_mean_over_cells_is_no_surer_than_one_cell() -> None:
    assert mean_interval(0.7, 1000) == wilson(700, 1000)


def test_difference_and_its_verdict() -> None:
    gap = difference(0.70, 0.60, 1000)
    assert gap.half == pytest.approx(1.96 * (0.7 * 0.3 / 1000 + 0.6 * 0.4 / 1000) ** 0.5, rel=1e-3)
    assert (gap.verdict, gap.word) == ("a gain beyond noise", "gain")
    assert difference(0.60, 0.70, 1000).word == "loss"
    assert difference(0.61, 0.60, 1000).word == "within noise"
    assert points(difference(0.6, 0.6 + 1e-6, 1000)).startswith("+0.0 ± ")
    assert points(difference(0.60, 0.70, 1000)).startswith("−10.0 ± ")


def test_grams_survive_packing_to_half_a_level() -> None:
    features = np.random.default_rng(0).normal(size=(40, 8))
    gram = features @ features.T
    low, high = gram_range([gram])
    back = unpack_gram(pack_gram(gram, low, high), 40, low, high)
    np.testing.assert_allclose(back, np.clip(gram, low, high), atol=(high - low) / 255 / 2 + 1e-9)
    np.testing.assert_array_equal(back, back.T)


def test_points_survive_packing() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 2))
    box = points_range([cloud])
    levels = np.frombuffer(base64.b64decode(pack_points(cloud, box)), "<u2").reshape(-1, 2)
    back = levels / 65535 * (box[2], box[3]) + (box[0], box[1])
    np.testing.assert_allclose(back, cloud, atol=max(box[2:]) / 65535)


def test_the_atlas_holds_each_image_in_its_place() -> None:
    images = np.zeros((40, 32, 32, 3), np.uint8)
    images[33] = (200, 40, 90)
    sheet = atlas(images)
    content = base64.b64decode(sheet["url"].partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert pixels.shape == (64, 32 * 32, 3)
    np.testing.assert_allclose(pixels[40:56, 40:56].mean(axis=(0, 1)), (200, 40, 90), atol=8)
    assert pixels[:24].mean() < 8


def test_every_light_colour_has_one_dark_one() -> None:
    pairs = swaps()
    assert pairs[LIGHT.teacher] == DARK.teacher
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for pair in pairs.items() for colour in pair)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_can_be_read(palette: Any) -> None:
    grounds = [palette.background, *palette.sequential, *palette.diverging_soft]
    assert all(contrast(palette.text, ground) >= 4.5 for ground in grounds)
    for colour in (palette.muted, palette.teacher_text, palette.student):
        assert contrast(colour, palette.background) >= 4.5


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_only_colours_of_the_palette_are_drawn() -> None:
    """A colour outside it would not change with the theme."""
    run = synthetic.write_transfer("done")
    table, metrics = data.accuracy(run), data.metrics(run)
    assert table is not None
    drawn = [
        charts.cka_curves(metrics),
        charts.loss_curves(metrics, "task_loss"),
        charts.accuracy_curves(metrics, "robust_accuracy"),
        charts.accuracy_bars(table),
        charts.accuracy_heatmap(table, "bird"),
        charts.difference_heatmap(table),
    ]
    for figure in drawn:
        colours = set(re.findall("#[0-9a-fA-F]{6}", figure.to_json()))
        assert {colour.lower() for colour in colours} <= set(swaps()), figure.layout.title.text


def test_the_table_behind_a_curve_is_the_curve() -> None:
    figure = charts.loss_curves(data.metrics(synthetic.write_transfer("done")), "task_loss")
    table = charts.numbers(figure)
    for trace in figure.data:
        np.testing.assert_array_equal(table[table["curve"] == trace.name]["value"], trace.y)
    assert charts.numbers().empty


def test_thinning_keeps_both_ends() -> None:
    rows = pd.DataFrame({"step": range(5000)})
    kept = thin(rows, 100)["step"]
    assert len(kept) == 100
    assert (kept.iloc[0], kept.iloc[-1]) == (0, 4999)


def test_curves_hold_the_metrics() -> None:
    run = synthetic.write_transfer("done")
    metrics = data.metrics(run)
    figure = charts.cka_curves(metrics)
    probes = {trace.name: trace for trace in figure.data}["BIRD, probes"]
    expected = metrics[(metrics["type"] == "snapshot") & (metrics["arm"] == "bird")].sort_values("step")
    np.testing.assert_array_equal(probes.y, expected["cka"])
    by_epoch = {trace.name: trace for trace in charts.cka_curves(metrics, "epoch").data}["BIRD, probes"]
    np.testing.assert_allclose(by_epoch.x, expected["step"] / synthetic.PER_EPOCH, rtol=1e-6)


@pytest.mark.parametrize("metrics", [pd.DataFrame(), pd.DataFrame([{"type": "step", "arm": "bird", "step": 0}])])
def test_curves_of_nothing_are_empty_not_broken(metrics: pd.DataFrame) -> None:
    for figure in (
        charts.cka_curves(metrics),
        charts.loss_curves(metrics, "representation_loss"),
        charts.accuracy_curves(metrics, "validation_accuracy"),
    ):
        assert isinstance(figure, go.Figure)
        assert len(figure.data) == 0
    assert charts.cka_table(metrics).empty
    assert charts.epochs_table(metrics).empty


def test_means_agree_with_the_summary() -> None:
    run = synthetic.write_transfer("done")
    table = data.accuracy(run)
    assert table is not None
    assert run.summary is not None
    means = charts.mean_rows(table).set_index(["model", "part"])["accuracy"]
    assert means["bird", "robust"] == pytest.approx(run.summary["robust_accuracy"]["after"])
    assert means["before", "held_out"] == pytest.approx(run.summary["held_out_accuracy"]["before"])
    gap = charts.gain(table)
    assert gap is not None
    assert gap.value == pytest.approx(means["bird", "robust"] - means["fine-tuning", "robust"])


def test_differences_are_taken_image_by_image_where_they_can_be() -> None:
    run = synthetic.write_transfer("done")
    table, correct = data.accuracy(run), data.correct(run)
    assert table is not None
    assert correct is not None
    with np.load(run.directory.artifacts / "correct.npz") as file:
        cells = file["cells"].tolist()
        rows = [index for index, cell in enumerate(cells) if not cell.startswith("clean")]
        per_image = file["bird"][rows].mean(axis=0) - file["fine-tuning"][rows].mean(axis=0)
    loose, paired = charts.gain(table), charts.gain(table, correct=correct)
    assert loose is not None
    assert paired is not None
    assert paired.value == pytest.approx(per_image.mean())
    assert paired.half == pytest.approx(1.96 * per_image.std(ddof=1) / len(per_image) ** 0.5, rel=1e-3)
    assert paired.half < loose.half
    means = charts.mean_rows(table, correct).set_index(["model", "part"])
    assert means.loc[("bird", "robust"), "high"] - means.loc[("bird", "robust"), "accuracy"] < 0.031
    assert charts.by_corruption(table, correct)["±"].max() < charts.by_corruption(table)["±"].max()


def test_a_difference_of_one_cell() -> None:
    run = synthetic.write_transfer("done")
    table, correct = data.accuracy(run), data.correct(run)
    assert table is not None
    figure = charts.difference_heatmap(table, correct=correct)
    by_hand = table.set_index(["model", "corruption", "severity"])["correct"]
    expected = (by_hand["bird", "contrast", 5] - by_hand["fine-tuning", "contrast", 5]) / synthetic.N_TEST * 100
    row = list(figure.data[0].y).index("Contrast")
    assert figure.data[0].z[row][4] == pytest.approx(expected, abs=0.05)


def test_the_table_tells_seen_from_held_out_and_is_in_order() -> None:
    table = data.accuracy(synthetic.write_transfer("done"))
    assert table is not None
    rows = charts.by_corruption(table)
    kinds = rows["Kind"].tolist()
    assert kinds.index("held out") > max(index for index, kind in enumerate(kinds) if kind == "seen")
    assert rows["What"].tolist()[:2] == ["Clean", "All corruptions"]


def test_a_run_without_a_baseline_is_compared_with_before() -> None:
    table = data.accuracy(synthetic.write_transfer("done", baseline=False))
    assert table is not None
    assert charts.gain(table) is None
    assert "BIRD − before (points)" in charts.by_corruption(table)
    assert charts.difference_heatmap(table, over="before").data[0].z.shape == (4, 5)


def test_the_layer_map_marks_the_chosen_pair() -> None:
    frame = pd.DataFrame([[0.1, 0.9], [0.4, 0.2]], index=["a", "b"], columns=["c", "d"])
    figure = charts.layer_map(frame, [("a", "d"), ("a", "nowhere")])
    boxes = {(shape.x0, shape.y0) for shape in figure.layout.shapes}
    assert boxes == {(0.5, -0.5)}


def test_results_of_compared_runs() -> None:
    done, running = synthetic.write_transfer("done"), synthetic.write_transfer("running", fraction=0.4)
    measured = [
        charts.Measured(name=name, state=run.state, metrics=data.metrics(run), summary=run.summary)
        for name, run in (("A", done), ("B", running))
    ]
    table = charts.results_table(measured)
    assert table["Run"].tolist() == ["A", "A", "A", "B"]
    figure = charts.run_curves(measured, kind="snapshot", column="cka", title="CKA", arms=["fine-tuning", "bird"])
    assert {trace.name for trace in figure.data} == {"A, fine-tuning", "A, BIRD", "B, fine-tuning"}
