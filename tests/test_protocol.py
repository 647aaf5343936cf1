"""The app's figures of the protocol: which is best, ceilings, seeds, the table of cells, and packed pictures."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.backend import data
from app.charts.examples import cell_examples
from app.charts.gallery import gallery_facts, gallery_sheet
from app.charts.reliability import reliability, reliability_rows
from app.charts.severity_grid import cell_key, cell_of, severity_grid
from app.findings.ceilings import gap, gap_recovered, held_against
from app.findings.figures import best, figures, relative_note
from app.findings.seeds import figure_over_seeds, seed_documents, seeds_of, siblings
from app.findings.summaries import figure_of
from bird_backend import measures
from bird_backend.corruptions import CORRUPTIONS
from bird_backend.measures import CLEAN, Predictions
from bird_backend.measures.figures import FIGURES, columns
from bird_backend.runs.directory import RunDirectory
from tests import synthetic


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def predictions_of(run: data.Run) -> Predictions:
    found = data.predictions(run)
    assert found is not None
    return found


def small(right: dict[str, list[list[int]]]) -> Predictions:
    """Clean and two severities of contrast; for each model which of the images it gets right."""
    n = len(next(iter(right.values()))[0])
    return Predictions(
        behaviour="corruptions",
        cells=(CLEAN, ("contrast", 1), ("contrast", 2)),
        images=np.arange(n),
        labels=np.zeros(n, np.int16),
        predicted={model: 1 - np.array(rows, np.int16) for model, rows in right.items()},
        confidence={model: np.full((3, n), 0.75, np.float16) for model in right},
    )


def test_every_figure_is_named_explained_and_there() -> None:
    run = synthetic.write_transfer("done")
    found = figures(predictions_of(run), run.summary)
    assert found.keys() == {"before", "fine-tuning", "bird"}
    for figure in FIGURES.values():
        assert figure.title
        assert figure.explained.endswith(".")
    for name in columns("run"):
        assert found["bird"][name] is not None, name
    assert found["bird"]["mce"] == measures.mean_corruption_error(predictions_of(run), "bird")
    assert figures(predictions_of(run))["bird"]["ece_clean"] == found["bird"]["ece_clean"]


def test_the_best_is_marked_only_beyond_noise() -> None:
    alike = [[1] * 90 + [0] * 10] * 3
    better = [[1] * 90 + [0] * 10, [1] * 95 + [0] * 5, [1] * 96 + [0] * 4]
    predictions = small({"before": alike, "fine-tuning": alike, "bird": better})
    found = figures(predictions)
    models = ("before", "fine-tuning", "bird")
    assert best(predictions, found, "robust", among=models) == "bird"
    assert best(predictions, found, "clean", among=models) is None
    assert best(predictions, found, "robust", among=("bird",)) is None


def test_relative_errors_say_what_they_are_over() -> None:
    same = [[1] * 90 + [0] * 10] * 3
    assert "0 of 1 corruptions" in str(relative_note(small({"before": same, "bird": same})))
    worse = [[1] * 90 + [0] * 10, [1] * 50 + [0] * 50, [1] * 40 + [0] * 60]
    assert relative_note(small({"before": worse, "bird": same})) is None


def test_the_gap_and_what_was_recovered_of_it() -> None:
    merged = small(
        {
            "before": [[1] * 4, [0] * 4, [0] * 4],
            "bird": [[1] * 4, [1, 0, 0, 0], [1, 0, 0, 0]],
            "ceiling": [[1] * 4, [1] * 4, [1] * 4],
        }
    )
    found = gap_recovered(merged, "bird", "robust")
    assert gap(merged, "robust") == measures.over_images(np.ones(4))
    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert gap_recovered(merged, "ceiling", "robust") is None


def test_no_gap_no_share_of_it() -> None:
    same = [[1] * 50 + [0] * 50] * 3
    assert gap_recovered(small({"before": same, "bird": same, "ceiling": same}), "bird", "robust") is None


def test_another_look_reads_no_spec_and_no_predictions_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.write_transfer("done", baseline=False)
    more = [synthetic.write_transfer("queued", seed=seed, baseline=False) for seed in range(1, 4)]
    oracle = synthetic.write_transfer("done", method={"name": "oracle"})
    held = held_against(run, predictions_of(run))
    assert held.with_ceiling is not None
    assert held.oracle is not None and held.oracle.id == oracle.id
    assert seeds_of(siblings(run).coming) == [1, 2, 3]

    def read_again(*_: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("bird_backend.runs.reading.read_predictions", read_again)
    monkeypatch.setattr(RunDirectory, "read_spec", read_again)
    assert held_against(run, predictions_of(run)).with_ceiling is held.with_ceiling
    assert siblings(run).coming == tuple(more)


def test_what_was_measured_on_other_images_is_no_ceiling() -> None:
    run = synthetic.write_transfer("done")
    oracle = synthetic.write_transfer("done", method={"name": "oracle"})
    path = oracle.directory.artifacts / "predictions.npz"
    arrays = dict(np.load(path))
    others = {"images": arrays["images"] + 1, "labels": 0 * arrays["labels"], "cells": arrays["cells"][::-1]}
    for name, other in others.items():
        np.savez(path, **(arrays | {name: other}))
        assert held_against(run, predictions_of(run)).with_ceiling is None
    path.write_bytes(b"no numbers")
    assert held_against(run, predictions_of(run)).with_ceiling is None


def test_seeds_are_grouped_and_their_mean_has_students_interval() -> None:
    runs = [synthetic.write_transfer("done", seed=seed, title=f"run {seed}") for seed in (2, 0, 1)]
    synthetic.write_transfer("done", seed=5, baseline=False)
    synthetic.write_transfer("failed", seed=6)
    found = siblings(runs[0]).done
    assert seeds_of(found) == [0, 1, 2]
    gains = [run.summary["figures"]["bird"]["gain"]["value"] for run in runs if run.summary]
    together = figure_over_seeds(found, "gain")
    assert together is not None
    assert together.value == pytest.approx(np.mean(gains))
    # t of 97.5 % at two degrees of freedom.
    assert together.half == pytest.approx(4.302653 * np.std(gains, ddof=1) / 3**0.5, rel=1e-5)
    assert together.kind == "Student's t, over seeds"
    for figure in columns("run"):
        assert figure_over_seeds(found, figure, "bird") is not None
        assert figure_over_seeds(found[:1], figure, "bird") is None


def test_more_seeds_are_the_lowest_that_nobody_asked_for() -> None:
    run = synthetic.write_transfer("done", seed=1)
    coming = synthetic.write_transfer("queued", seed=0)
    known = siblings(run)
    assert known.coming == (coming,)
    documents = seed_documents(run, known, 2)
    assert [document["seed"] for document in documents] == [2, 3]
    assert documents[0]["save_as"] is None


def test_a_summary_of_one_network_and_of_three() -> None:
    three, one = synthetic.write_transfer("done"), synthetic.write_trained()
    assert three.summary is not None and one.summary is not None
    for name in ("robust", "seen", "ece_robust"):
        kept = figure_of(three, name)
        assert kept is not None and kept.as_dict() == three.summary["figures"]["bird"][name]
        alone = figure_of(one, name)
        assert alone is not None and alone.as_dict() == one.summary["figures"]["model"][name]
    before = figure_of(three, "seen", "before")
    assert before is not None and before.kind == "normal, over images"
    assert figure_of(synthetic.write_transfer("queued", seed=3), "robust") is None


def test_the_table_holds_every_cell_row_and_group() -> None:
    predictions = predictions_of(synthetic.write_transfer("done"))
    table = severity_grid(predictions)
    assert len(table["rows"]) == 19
    assert [(group["name"], len(group["rows"])) for group in table["groupings"]["part"]] == [
        ("seen", 15),
        ("held_out", 4),
    ]
    assert sum(len(group["rows"]) for group in table["groupings"]["kind"]) == 19
    assert table["difference"].keys() == {"before", "fine-tuning", "bird"}
    assert table["difference"]["before"] == {}
    for key, names, severity in (
        ("fog 2", ("fog",), 2),
        ("fog", ("fog",), None),
        ("robust", predictions.conditions, None),
    ):
        interval = measures.gain(predictions, "bird", "before", names, severity)
        assert interval is not None
        assert table["difference"]["bird"]["before"][key] == pytest.approx(
            [interval.value, interval.low, interval.high, float(interval.beyond_noise)], abs=1e-5
        )
    noise = [name for name, facts in CORRUPTIONS.items() if facts.family == "noise"]
    expected = measures.accuracy(predictions, "bird", noise, 5)
    assert expected is not None
    assert table["accuracy"]["bird"]["noise 5"][0] == pytest.approx(expected.value, abs=1e-5)


def test_cells_in_the_address() -> None:
    predictions = predictions_of(synthetic.write_transfer("done"))
    assert cell_of("contrast.3", predictions) == ("contrast", 3)
    assert cell_of(cell_key(*CLEAN), predictions) == CLEAN
    for nonsense in ("", "contrast", "contrast.6", "../x.3"):
        assert cell_of(nonsense, predictions) is None


def unpack(sheet: Any) -> np.ndarray:
    """The pictures of a sheet [k, 32, 32, 3], as the browser cuts them out."""
    content = base64.b64decode(sheet["url"].partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    rows = pixels.shape[0] // 32
    return pixels.reshape(rows, 32, sheet["columns"], 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)


def test_pictures_of_a_cell_come_with_what_each_model_said() -> None:
    run = synthetic.write_transfer("done")
    predictions, examples = predictions_of(run), data.examples(run)
    assert examples is not None
    cell = ("contrast", 4)
    row = predictions.cells.index(cell)
    shown = cell_examples(predictions, examples, cell)
    pictures = unpack(shown["sheet"])
    np.testing.assert_array_equal(pictures[:12], examples.clean[examples.shown[row]])
    np.testing.assert_array_equal(pictures[12:24], examples.changed[row])
    for at, image in enumerate(shown["shown"]):
        column = examples.pool[examples.shown[row, at]]
        assert image["truth"] == synthetic.CLASSES[predictions.labels[column]]
        said = {says["model"]: says for says in image["says"]}
        assert said["BIRD"]["said"] == synthetic.CLASSES[predictions.predicted["bird"][row, column]]
        assert said["BIRD"]["sure"] == pytest.approx(float(predictions.confidence["bird"][row, column]), abs=1e-3)
        assert said["BIRD"]["right"] == (said["BIRD"]["said"] == image["truth"])
        rights = {says["right"] for says in image["says"]}
        assert image["agree"] == ("no" if len(rights) == 2 else "right" if rights == {True} else "wrong")
    order = [["no", "wrong", "right"].index(image["agree"]) for image in shown["shown"]]
    assert order == sorted(order)


def test_a_gallery_is_packed_without_loss_and_small() -> None:
    run, nothing = data.gallery(data="fashion-mnist-small")
    assert nothing is None
    synthetic.write_gallery(run)
    again, drawn = data.gallery(data="fashion-mnist-small")
    assert again.id == run.id
    assert drawn is not None
    sheet = gallery_sheet(drawn, 1)
    pictures = unpack(sheet)
    np.testing.assert_array_equal(pictures[:95].reshape(drawn.changed[1].shape), drawn.changed[1])
    np.testing.assert_array_equal(pictures[95], drawn.images[1])
    facts = gallery_facts(drawn)
    assert [len(group["members"]) for group in facts["groupings"]["part"]] == [15, 4]
    assert facts["names"] == list(synthetic.CLASSES[:3])


def test_a_brought_picture_has_no_class() -> None:
    picture = data.keep_picture(b"content")
    run, _ = data.gallery(picture=picture)
    synthetic.write_gallery(run)
    drawn = data.gallery(picture=picture)[1]
    assert drawn is not None
    assert gallery_facts(drawn)["names"] == ["Your picture"]


def test_a_gallery_that_failed_is_not_asked_for_forever() -> None:
    run, _ = data.gallery(data="digits")
    data.cancel(run.id)
    assert data.gallery(data="digits")[0].id == run.id
    assert data.gallery(data="digits", retry=True)[0].id != run.id


def test_reliability_is_drawn_as_measured() -> None:
    predictions = predictions_of(synthetic.write_transfer("done"))
    rows = reliability_rows(predictions)
    table = measures.reliability(predictions, "bird", "robust")
    assert table is not None
    mine = rows[rows["model"] == "bird"]
    np.testing.assert_allclose(mine[["confidence", "right", "share"]], table[~np.isnan(table[:, 0])])
    assert [trace.name for trace in reliability(predictions, rows).data] == [
        "As sure as right",
        "Before",
        "Fine-tuning",
        "BIRD",
    ]
