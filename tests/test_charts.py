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

from app import charts
from app.backend import data
from app.backend.metrics import thin
from app.backend.studies import results
from app.charts.frame import arm
from app.charts.geometry import (
    atlas,
    gram_range,
    pack_gram,
    pack_points,
    pack_shares,
    points_range,
    turned,
    unpack_gram,
)
from app.charts.study import ablation_panel
from app.look.palette import DARK, LIGHT, swaps
from app.words.intervals import explained, percent, plus_minus, points, verdict, word
from bird_backend.corruptions import CORRUPTIONS
from bird_backend.measures import Interval
from bird_backend.transfer import METHODS
from tests import synthetic


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path))


def interval(value: float, half: float) -> Interval:
    return Interval(value=value, low=value - half, high=value + half, n=1000, kind="normal, over images")


def test_a_difference_in_words() -> None:
    assert (points(interval(0.1, 0.02)), word(interval(0.1, 0.02))) == ("+10.0 ± 2.0", "gain")
    assert (points(interval(-0.1, 0.02)), word(interval(-0.1, 0.02))) == ("−10.0 ± 2.0", "loss")
    assert verdict(interval(0.1, 0.02)) == "a gain beyond noise"
    assert verdict(interval(-0.1, 0.02)) == "a loss beyond noise"
    assert word(interval(0.01, 0.02)) == verdict(interval(0.01, 0.02)) == "within noise"
    assert points(interval(-1e-6, 0.02)).startswith("+0.0 ± ")


def test_a_number_says_which_interval_it_has() -> None:
    assert plus_minus(interval(0.713, 0.019)) == "71.3 ± 1.9"
    assert plus_minus(interval(0.98, 0.02), 2, factor=1) == "0.98 ± 0.02"
    assert percent(-0.0001) == "0.0 %"
    assert explained(interval(0.7, 0.01)) == (
        "95 % interval 69.0 % to 71.0 % (normal, over images, n\u00a0=\u00a01,000)"
    )


def test_grams_survive_packing_to_half_a_level() -> None:
    features = np.random.default_rng(0).normal(size=(40, 8))
    gram = features @ features.T
    low, high = gram_range([gram])
    back = unpack_gram(pack_gram(gram, low, high), 40, low, high)
    np.testing.assert_allclose(back, np.clip(gram, low, high), atol=(high - low) / 255 / 2 + 1e-9)
    np.testing.assert_array_equal(back, back.T)


def test_points_survive_packing() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 2))
    box = points_range([cloud], aspect=0.62)
    assert box[3] == pytest.approx(0.62 * box[2]), "a distance is drawn as long across as down"
    levels = np.frombuffer(base64.b64decode(pack_points(cloud, box)), "<u2").reshape(-1, 2)
    back = levels / 65535 * (box[2], box[3]) + (box[0], box[1])
    np.testing.assert_allclose(back, cloud, atol=max(box[2:]) / 65535)


def test_a_layout_is_turned_onto_another_and_keeps_its_distances() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 2))
    angle = 2.1
    mirrored = cloud @ np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]]) + (3, -1)
    back = turned(mirrored, cloud)
    np.testing.assert_allclose(back, cloud - cloud.mean(axis=0), atol=1e-6)


def test_shares_survive_packing() -> None:
    shares = np.linspace(-2e-4, 5e-4, 40)
    levels = np.frombuffer(base64.b64decode(pack_shares(shares, -1e-4, 5e-4)), np.uint8)
    np.testing.assert_allclose(-1e-4 + 6e-4 * levels / 255, shares.clip(-1e-4), atol=6e-4 / 255 / 2 + 1e-12)


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
    predictions, metrics = data.predictions(run), data.metrics(run)
    assert predictions is not None
    drawn = [
        charts.cka_curves(metrics),
        charts.loss_curves(metrics, "task_loss"),
        charts.accuracy_curves(metrics, "robust_accuracy"),
        charts.accuracy_bars(predictions),
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


def predictions_of(run: data.Run) -> data.Predictions:
    found = data.predictions(run)
    assert found is not None
    return found


def test_means_agree_with_the_summary() -> None:
    run = synthetic.write_transfer("done")
    predictions = predictions_of(run)
    assert run.summary is not None
    means = charts.mean_rows(predictions).set_index(["model", "group"])["accuracy"]
    assert means["bird", "robust"] == pytest.approx(run.summary["figures"]["bird"]["robust"]["value"])
    assert means["before", "held_out"] == pytest.approx(run.summary["figures"]["before"]["held_out"]["value"])
    gap = charts.gain(predictions)
    assert gap is not None
    assert gap.value == pytest.approx(means["bird", "robust"] - means["fine-tuning", "robust"])


def test_every_cell_is_there_with_its_interval_and_its_difference() -> None:
    predictions = predictions_of(synthetic.write_transfer("done"))
    cells = charts.cells(predictions).set_index(["model", "condition", "strength"])
    assert len(cells) == 3 * (1 + 19 * 5)
    row = cells.loc[("bird", "contrast", 5)]
    right = {model: predictions.correct(model, ("contrast", 5)) for model in ("bird", "before")}
    assert row["correct"] == right["bird"].sum()
    assert row["over_before"] == pytest.approx(right["bird"].mean() - right["before"].mean())
    assert row["low"] < row["accuracy"] < row["high"]
    assert (row["kind"], row["part"], row["interval"]) == ("digital", "seen", "Wilson, over images")
    assert cells["over_before"].isna().sum() == 96


def test_the_table_tells_seen_from_held_out_and_is_in_order() -> None:
    rows = charts.by_condition(predictions_of(synthetic.write_transfer("done")))
    kinds = rows["Kind"].tolist()
    assert kinds.index("held out") > max(index for index, kind in enumerate(kinds) if kind == "seen")
    assert rows["What"].tolist()[:2] == ["Clean", "All corruptions"]
    assert len(rows) == 4 + len(CORRUPTIONS)


def test_a_run_without_a_baseline_is_compared_with_before() -> None:
    predictions = predictions_of(synthetic.write_transfer("done", baseline=False))
    assert charts.gain(predictions) is None
    assert charts.baseline_of(predictions) == "before"
    assert "BIRD − before (points)" in charts.by_condition(predictions)


def test_the_layer_map_has_the_teachers_layers_as_rows() -> None:
    frame = pd.DataFrame([[0.1, 0.9], [0.4, 0.2], [0.3, 0.3]], index=["a", "b", "e"], columns=["c", "d"])
    [cells] = charts.layer_map(frame).data
    assert (list(cells.y), list(cells.x)) == (["a", "b", "e"], ["c", "d"])


def test_results_of_compared_runs() -> None:
    done, running = synthetic.write_transfer("done"), synthetic.write_transfer("running", fraction=0.4)
    compared = [
        charts.ComparedRun(name=name, arm="bird", state=run.state, metrics=data.metrics(run), summary=run.summary)
        for name, run in (("A", done), ("B", running))
    ]
    table = charts.results_table(compared)
    assert table["Run"].tolist() == ["A", "A", "A", "B"]
    figure = charts.run_curves(compared, kind="snapshot", column="cka", title="CKA")
    assert {trace.name for trace in figure.data} == {"A, Fine-tuning", "A, BIRD", "B, Fine-tuning"}


def test_no_two_methods_are_drawn_alike_and_few_are_grey() -> None:
    looks = {name: arm(name).look for name in METHODS}
    assert len({(look.colour, look.dash, look.symbol) for look in looks.values()}) == len(looks)
    contenders = [looks[name] for name, method in METHODS.items() if method.role == "contender"]
    assert len({look.symbol for look in contenders}) == len(contenders), "told apart without any colour"
    for look in contenders:
        shades = [int(look.colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert max(shades) - min(shades) > 40, f"{look.colour} is a grey"


def test_axes_end_where_nothing_can_be() -> None:
    metrics = data.metrics(synthetic.write_transfer("done"))
    for figure in (charts.cka_curves(metrics), charts.loss_curves(metrics, "task_loss")):
        assert figure.layout.xaxis.minallowed == 0
    accuracy = charts.accuracy_curves(metrics, "validation_accuracy").layout
    assert (accuracy.yaxis.minallowed, accuracy.yaxis.maxallowed, accuracy.xaxis.minallowed) == (0, 1, 0)
    assert charts.cka_curves(metrics).layout.yaxis.maxallowed == 1


def test_an_ablations_axes_end_there_too() -> None:
    found = results(synthetic.write_study(preset="beta", seeds=2))
    axes = {name: ablation_panel(found.rows, name).layout.yaxis for name in ("gain", "clean", "cka_after", "seconds")}
    assert (axes["clean"].minallowed, axes["clean"].maxallowed) == (0, 100)
    assert (axes["seconds"].minallowed, axes["seconds"].maxallowed) == (0, None)
    assert axes["cka_after"].maxallowed == 1
    assert (axes["gain"].minallowed, axes["gain"].maxallowed) == (None, None)


def test_twenty_four_runs_have_colours_of_their_own_on_either_page() -> None:
    for palette in (LIGHT, DARK):
        colours = palette.runs + palette.more_runs
        assert len(set(colours)) == len(colours) == 24
    assert all(light in swaps() for light in LIGHT.more_runs)
