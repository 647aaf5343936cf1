"""What a difference is worth: a network that collapsed, a small test, and many differences tested at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.charts.severity_grid import severity_grid
from app.components.results import verdict_sentence
from app.findings.headline import headline
from bird_backend.experiments.report import figures_report
from bird_backend.experiments.summary import summarise
from bird_backend.measures import (
    CLEAN,
    Predictions,
    at_chance,
    chance,
    has_collapsed,
    over_images,
    standing_out,
    two_sided,
    wilson,
)
from bird_backend.runs.store import RunStore
from bird_backend.studies import results
from tests import synthetic
from tests.study_runs import COUNTS, finished, plan_of


def predictions(shares: dict[str, float], *, n: int = 400, cells: int = 2, seed: int = 0) -> Predictions:
    """Ten classes; each network right as often as said in every cell, at random."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    names = ("contrast", "fog", "snow", "frost")[: max(1, cells // 2)]
    every = (CLEAN, *((name, strength) for name in names for strength in range(1, cells // len(names) + 1)))
    answers = {
        model: np.where(generator.random((len(every), n)) < share, labels, (labels + 1) % 10)
        for model, share in shares.items()
    }
    return Predictions(
        behaviour="corruptions",
        cells=every,
        images=np.arange(n),
        labels=labels,
        predicted=answers,
        confidence={model: np.full(values.shape, 0.5, np.float16) for model, values in answers.items()},
    )


# Many at once


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_standing_out_is_benjamini_and_hochbergs_procedure(p_values: list[float]) -> None:
    by_key = dict(enumerate(p_values))
    adjusted = stats.false_discovery_control(p_values, method="bh")
    close = np.abs(adjusted - 0.05) < 1e-9
    found = standing_out(by_key)
    for key in by_key:
        assert close[key] or (key in found) == (adjusted[key] <= 0.05)


def test_nothing_stands_out_of_nothing() -> None:
    assert standing_out({}) == frozenset()


def test_a_p_value_agrees_with_the_interval() -> None:
    generator = np.random.default_rng(0)
    for shift in np.linspace(-0.3, 0.3, 25):
        values = generator.normal(shift, 1, 100)
        expected = 2 * stats.norm.sf(abs(values.mean()) / (values.std(ddof=1) / math.sqrt(100)))
        assert two_sided(values) == pytest.approx(expected)
        assert (two_sided(values) < 0.05) == over_images(values).beyond_noise
    assert two_sided(np.ones(5)) == 0
    assert two_sided(np.ones(1)) == two_sided(np.zeros(9)) == 1


def test_of_many_cells_without_a_difference_hardly_any_is_marked() -> None:
    alone, marked = 0, 0
    for seed in range(30):
        found = predictions({"before": 0.5, "bird": 0.5}, cells=20, seed=seed)
        gaps = severity_grid(found)["difference"]["bird"]["before"]
        tested = [gaps[f"{name} {strength}"] for name, strength in found.cells[1:]]
        assert len(tested) == 20
        alone += sum(gap[1] > 0 or gap[2] < 0 for gap in tested)
        marked += sum(gap[3] == 1 for gap in tested)
    assert alone > 15, "by itself one in twenty is, of 600"
    assert marked <= 4


def test_what_is_there_is_marked_all_the_same() -> None:
    found = predictions({"before": 0.3, "bird": 0.7}, cells=20)
    assert all(gap[3] == 1 for key, gap in severity_grid(found)["difference"]["bird"]["before"].items())


# Collapse


def test_a_network_at_chance_or_hardly_better_has_collapsed() -> None:
    found = predictions({"ft": 0.1, "weak": 0.16, "good": 0.6})
    assert chance(found) == pytest.approx(0.1)
    assert has_collapsed(found, "ft") and has_collapsed(found, "weak")
    assert not has_collapsed(found, "good")
    assert not has_collapsed(found, "nobody")
    assert at_chance(wilson(15, 100), 0.1), "not beyond noise"
    assert at_chance(wilson(150_000, 1_000_000), 0.1), "hardly"
    assert not at_chance(wilson(60, 100), 0.5 - 0.1)


def test_a_gain_over_what_has_collapsed_is_called_none() -> None:
    found = predictions({"before": 0.6, "fine-tuning": 0.1, "bird": 0.62})
    said = str(verdict_sentence(found))
    assert said.startswith("**Fine-tuning has collapsed**: on clean images it is right in ")
    assert "no better than chance (10.0 %)" in said
    assert "a gain beyond noise" not in said
    assert "BIRD and the student before differ by" in said
    assert "a gain beyond noise" in str(verdict_sentence(predictions({"before": 0.3, "fine-tuning": 0.3, "bird": 0.7})))


def test_a_small_test_is_said_to_be_one() -> None:
    large = predictions({"before": 0.3, "bird": 0.7}, cells=4)
    assert "rough" not in str(verdict_sentence(large)) and "one corruption" not in str(verdict_sentence(large))
    small = predictions({"before": 0.1, "bird": 0.9}, n=20)
    said = str(verdict_sentence(small))
    assert "With 20 test images the interval itself is rough." in said
    assert "under one corruption only, contrast." in said


def test_a_card_and_the_command_line_name_it_too() -> None:
    found = predictions({"before": 0.6, "fine-tuning": 0.1, "bird": 0.62})
    run = synthetic.write_transfer("running")
    summary = summarise(found, after="bird", recorded={}, strengths="") | {"seconds": 1.0, "method": "bird"}
    RunStore().finish(run.id, "done", summary=summary)
    shown = headline(RunStore().get(run.id))
    assert shown is not None
    assert shown.words == "robust accuracy over fine-tuning, which has collapsed to chance"
    assert shown.gap is None
    assert any(line.startswith("fine-tuning is no better than chance") for line in figures_report(summary).lines)


@pytest.mark.usefixtures("no_worker")
def test_a_study_names_rows_that_collapsed_and_never_praises_a_teacher_for_a_loss() -> None:
    counts = COUNTS | {"fine-tuning": [1, 1, 1], "bird": [18, 18, 18], "hints": [9, 9, 9]}
    table = results(finished(plan_of("fine-tuning", "hints", "bird"), counts))
    notes = " ".join(table.notes)
    assert {row.variant.key: row.collapsed for row in table.rows if row.collapsed} == {"fine-tuning": (0, 1, 2)}
    assert "which is to have collapsed: Fine-tuning (seed 0, 1, 2)." in notes
    assert "A gain over a network that has collapsed says nothing." in notes
    losses = COUNTS | {"hints": [5, 6, 9], "bird": [5, 6, 8], "bird-random-weights": [12, 12, 16]}
    table = results(finished(plan_of("fine-tuning", "hints", "bird", seeds=3), losses))
    assert table.row("bird").entries["gain"].remark == "smaller than the control's"
    assert "† Smaller than the control's." in table.notes
    assert not any("helped" in note for note in table.notes)
