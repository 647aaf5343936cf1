"""Every figure of robustness against plain loops, and every interval against another way to it."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats

from bird_backend import measures
from bird_backend.corruptions import CORRUPTIONS
from bird_backend.measures import CLEAN, GROUPS, Cell, Group, Predictions

CLASSES = 5
SEEN = ("fog", "contrast")
HELD_OUT = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
MODELS = {"before": 0.5, "bird": 0.7, "sure": 0.9}
"""How often each is right."""


def make(
    names: Iterable[str] = (*SEEN, *HELD_OUT), severities: Iterable[int] = (1, 2, 3, 4, 5), n: int = 60, seed: int = 0
) -> Predictions:
    generator = np.random.default_rng(seed)
    cells: list[Cell] = [CLEAN, *itertools.product(names, severities)]
    labels = generator.integers(CLASSES, size=n)
    shape = len(cells), n
    right = {model: generator.random(shape) < share for model, share in MODELS.items()}
    wrong = (labels + generator.integers(1, CLASSES, size=shape)) % CLASSES
    return Predictions(
        behaviour="corruptions",
        cells=tuple(cells),
        images=np.arange(n) * 3,
        labels=labels,
        predicted={model: np.where(hit, labels, wrong).astype(np.int16) for model, hit in right.items()},
        confidence={model: generator.uniform(0.2, 1, shape).astype(np.float16) for model in MODELS},
    )


def table(rows: dict[str, dict[Cell, list[int]]]) -> Predictions:
    """From right (1) and wrong (0) answers by model and cell; every label is 0."""
    cells = tuple(next(iter(rows.values())))
    n = len(next(iter(rows.values()))[cells[0]])
    predicted = {model: 1 - np.array([by_cell[cell] for cell in cells], np.int16) for model, by_cell in rows.items()}
    return Predictions(
        behaviour="corruptions",
        cells=cells,
        images=np.arange(n),
        labels=np.zeros(n, int),
        predicted=predicted,
        confidence={model: np.full(values.shape, 0.5, np.float16) for model, values in predicted.items()},
    )


def right(predictions: Predictions, model: str, cell: Cell, image: int) -> int:
    row = predictions.cells.index(cell)
    return int(predictions.predicted[model][row][image] == predictions.labels[image])


def per_image(predictions: Predictions, model: str, cells: list[Cell]) -> list[float]:
    return [
        sum(right(predictions, model, cell, image) for cell in cells) / len(cells) for image in range(predictions.n)
    ]


def cells_of(predictions: Predictions, names: Iterable[str], severity: int | None = None) -> list[Cell]:
    chosen = set(names)
    return [cell for cell in predictions.cells if cell[0] in chosen and severity in (None, cell[1])]


NAMES: dict[Group, tuple[str, ...]] = {
    "clean": ("clean",),
    "robust": (*SEEN, *HELD_OUT),
    "seen": SEEN,
    "held_out": HELD_OUT,
}


@pytest.mark.parametrize("group", NAMES)
@pytest.mark.parametrize("model", MODELS)
def test_groups_are_means_over_their_cells(group: Group, model: str) -> None:
    predictions = make()
    shares = per_image(predictions, model, cells_of(predictions, NAMES[group]))
    mean = sum(shares) / len(shares)
    found = measures.by_group(predictions, model, group)
    assert found is not None and found.n == 60
    assert found.value == pytest.approx(mean)
    if group == "clean":
        assert found.kind == "Wilson, over images"
    else:
        deviation = math.sqrt(sum((share - mean) ** 2 for share in shares) / 59)
        assert found.kind == "normal, over images"
        assert found.half == pytest.approx(stats.norm.ppf(0.975) * deviation / math.sqrt(60))
    np.testing.assert_allclose(measures.group_share(predictions, model, group), shares)


def test_an_accuracy_is_of_the_cells_asked_for() -> None:
    predictions = make()
    for names, severity in ((SEEN, None), (HELD_OUT, 4), (("fog",), 2), (("clean",), None)):
        shares = per_image(predictions, "bird", cells_of(predictions, names, severity))
        found = measures.accuracy(predictions, "bird", names, severity)
        assert found is not None and found.value == pytest.approx(sum(shares) / 60)
        single = len(cells_of(predictions, names, severity)) == 1
        assert found.kind == ("Wilson, over images" if single else "normal, over images")
    assert measures.accuracy(predictions, "bird", ["snow"]) is None
    assert measures.accuracy(predictions, "nobody", SEEN) is None


def test_pooled_is_what_the_reference_calls_robust_accuracy() -> None:
    """It evaluates four sets of six severities each, where severity 0 is the clean test set, and pools all answers."""
    predictions = make()
    hits = total = 0
    for name in HELD_OUT:
        for severity in range(6):
            for image in range(predictions.n):
                hits += right(predictions, "sure", (name, severity) if severity else CLEAN, image)
                total += 1
    found = measures.by_group(predictions, "sure", "pooled")
    assert found is not None and found.value == pytest.approx(hits / total)
    for partial in (make(severities=(1, 2, 3, 4)), make(names=(*SEEN, *HELD_OUT[:3])), make(names=SEEN)):
        assert measures.by_group(partial, "sure", "pooled") is None


def test_groups_that_were_not_measured_are_blank() -> None:
    predictions = make(names=SEEN)
    assert measures.by_group(predictions, "bird", "held_out") is None
    assert measures.by_group(make(names=()), "bird", "robust") is None
    assert measures.calibration_error(predictions, "bird", "held_out") is None
    assert measures.calibration_error(predictions, "nobody", "clean") is None
    assert measures.reliability(predictions, "nobody", "clean") is None
    assert measures.gain(predictions, "bird", "nobody", SEEN) is None
    assert measures.mean_corruption_error(predictions, "bird", "nobody") is None
    assert measures.mean_corruption_error(make(names=()), "bird") is None
    assert measures.relative_mean_corruption_error(make(names=()), "bird") is None


def test_a_gain_is_paired() -> None:
    predictions = make()
    cells = cells_of(predictions, SEEN)
    ours, theirs = per_image(predictions, "bird", cells), per_image(predictions, "before", cells)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    found = measures.gain(predictions, "bird", "before", SEEN)
    assert found is not None
    assert found.value == pytest.approx(np.mean(differences))
    expected = stats.norm.interval(0.95, np.mean(differences), stats.sem(differences))
    assert (found.low, found.high) == pytest.approx(expected)
    opposite = measures.gain(predictions, "before", "bird", SEEN)
    assert opposite is not None and opposite.value == -found.value
    same = measures.gain(predictions, "bird", "bird", SEEN)
    assert same is not None and (same.low, same.high, same.beyond_noise) == (0, 0, False)


def test_mce_by_hand() -> None:
    predictions = table(
        {
            # 10 images; errors: clean 1, fog 4 and 6, contrast 2 and 2.
            "before": {
                CLEAN: [0] + 9 * [1],
                ("fog", 1): 4 * [0] + 6 * [1],
                ("fog", 2): 6 * [0] + 4 * [1],
                ("contrast", 1): 2 * [0] + 8 * [1],
                ("contrast", 2): 2 * [0] + 8 * [1],
            },
            # Errors: clean 2, fog 3 and 4, contrast 3 and 5.
            "bird": {
                CLEAN: 2 * [0] + 8 * [1],
                ("fog", 1): 3 * [0] + 7 * [1],
                ("fog", 2): 4 * [0] + 6 * [1],
                ("contrast", 1): 3 * [0] + 7 * [1],
                ("contrast", 2): 5 * [0] + 5 * [1],
            },
        }
    )
    mce = measures.mean_corruption_error(predictions, "bird")
    assert mce is not None and mce.value == pytest.approx((7 / 10 + 8 / 4) / 2)
    assert mce.low < mce.value < mce.high and mce.kind == "bootstrap, over images"
    # One error more in ten is within noise, so relative mCE is over fog alone.
    assert measures.degrading(predictions) == ("fog",)
    relative = measures.relative_mean_corruption_error(predictions, "bird")
    assert relative is not None and relative.value == pytest.approx((7 - 2 * 2) / (10 - 2 * 1))
    itself = measures.mean_corruption_error(predictions, "before")
    assert itself is not None and (itself.value, itself.low) == (1, 1)


def test_mce_is_the_mean_over_corruptions_of_summed_errors() -> None:
    predictions = make()
    ratios = []
    for name in (*SEEN, *HELD_OUT):
        wrong = {
            model: sum(
                1 - right(predictions, model, (name, severity), image)
                for severity in range(1, 6)
                for image in range(60)
            )
            for model in ("bird", "before")
        }
        ratios.append(wrong["bird"] / wrong["before"])
    found = measures.mean_corruption_error(predictions, "bird")
    assert found is not None and found.value == pytest.approx(sum(ratios) / 6)


def test_mce_against_a_reference_without_errors_is_blank() -> None:
    perfect: dict[Cell, list[int]] = {CLEAN: 4 * [1], ("fog", 1): 4 * [1]}
    predictions = table({"before": perfect, "bird": {CLEAN: 4 * [1], ("fog", 1): [0, 1, 1, 1]}})
    assert measures.mean_corruption_error(predictions, "bird") is None
    assert measures.relative_mean_corruption_error(predictions, "bird") is None
    assert measures.degrading(predictions) == ()


def test_a_reference_that_rarely_errs_leaves_mce_without_an_upper_end() -> None:
    cells: dict[Cell, list[int]] = {CLEAN: 5 * [1], ("fog", 1): [0, 1, 1, 1, 1]}
    found = measures.mean_corruption_error(table({"before": cells, "bird": cells}), "bird")
    assert found is not None and found.value == 1 and found.high == math.inf
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert document["high"] is None and document["value"] == 1


def test_pgr_is_unclipped_and_blank_in_noise() -> None:
    generator = np.random.default_rng(0)
    floor = (generator.random(400) < 0.4).astype(float)
    ceiling = np.maximum(floor, generator.random(400) < 0.5)
    for after, expected in ((floor, 0), (ceiling, 1), (2 * ceiling - floor, 2), (2 * floor - ceiling, -1)):
        found = measures.gap_recovered(after, floor, ceiling)
        assert found is not None and found.value == pytest.approx(expected)
    after = (floor + generator.random(400)) / 2
    found = measures.gap_recovered(after, floor, ceiling)
    means = np.mean(after), np.mean(floor), np.mean(ceiling)
    assert found is not None and found.value == pytest.approx((means[0] - means[1]) / (means[2] - means[1]))
    assert found.low < found.value < found.high
    assert measures.gap_recovered(after, floor, floor) is None
    assert measures.gap_recovered(after, ceiling, floor) is None, "a ceiling below the floor is none"
    barely = floor.copy()
    barely[np.flatnonzero(floor == 0)[0]] = 1
    assert measures.gap_recovered(after, floor, barely) is None
    # Resamples of four images may leave no gap at all.
    few = measures.gap_recovered(np.array([1.0, 0, 1, 0]), np.zeros(4), np.array([1.0, 1, 1, 0]))
    assert few is not None and few.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("group", ["clean", "robust", "held_out"])
def test_calibration_error_agrees_with_a_loop(group: Group) -> None:
    predictions = make()
    cells = cells_of(predictions, NAMES[group])
    bins: list[list[tuple[float, int]]] = [[] for _ in range(15)]
    for cell in cells:
        row = predictions.cells.index(cell)
        for image in range(predictions.n):
            confidence = float(predictions.confidence["bird"][row][image])
            bins[min(int(confidence * 15), 14)].append((confidence, right(predictions, "bird", cell, image)))
    total = len(cells) * predictions.n
    error = 0.0
    for inside in bins:
        if inside:
            gap = abs(sum(hit for _, hit in inside) - sum(confidence for confidence, _ in inside)) / len(inside)
            error += gap * len(inside) / total
    found = measures.calibration_error(predictions, "bird", group)
    assert found is not None and found.value == pytest.approx(error)
    drawn = measures.reliability(predictions, "bird", group)
    assert drawn is not None and drawn.shape == (measures.BINS, 3)
    assert drawn[:, 2].sum() == pytest.approx(1)
    for (confidence, share, part), inside in zip(drawn, bins, strict=True):
        assert part == pytest.approx(len(inside) / total)
        if inside:
            assert confidence == pytest.approx(np.mean([sure for sure, _ in inside]))
            assert share == pytest.approx(np.mean([hit for _, hit in inside]))
        else:
            assert math.isnan(confidence) and math.isnan(share)


def test_perfect_and_hopeless_calibration() -> None:
    n = 20
    for sure, hits, expected in ((1.0, n, 0.0), (1.0, 0, 1.0), (0.5, n // 2, 0.0)):
        predictions = table({"m": {CLEAN: hits * [1] + (n - hits) * [0]}})
        predictions = Predictions(
            behaviour="corruptions",
            cells=predictions.cells,
            images=predictions.images,
            labels=predictions.labels,
            predicted=predictions.predicted,
            confidence={"m": np.full((1, n), sure, np.float16)},
        )
        found = measures.calibration_error(predictions, "m", "clean")
        assert found is not None and found.value == pytest.approx(expected)


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (10, 10), (7, 10), (1, 1), (860, 1000)])
def test_wilson_ends_are_where_the_score_test_stops_rejecting(correct: int, n: int) -> None:
    found = measures.wilson(correct, n)
    z = stats.norm.ppf(0.975)
    for end in (found.low, found.high):
        assert (correct / n - end) ** 2 == pytest.approx(z * z * end * (1 - end) / n, abs=1e-7)
    assert 0 <= found.low <= correct / n <= found.high <= 1
    expected = stats.binomtest(correct, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert (measures.wilson(0, 0).low, measures.wilson(0, 0).high) == (0, 1)


def test_seeds_have_students_interval() -> None:
    values = [0.61, 0.64, 0.59, 0.66]
    found = measures.over_seeds(values)
    assert found is not None and (found.n, found.kind) == (4, "Student's t, over seeds")
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert measures.over_seeds([0.5]) is None
    assert measures.over_seeds([]) is None


def test_the_bootstrap_is_the_same_every_time_and_covers_what_it_says() -> None:
    generator = np.random.default_rng(0)
    covered, widths = 0, []
    for _ in range(60):
        sample = generator.normal(size=(40, 1))
        found = measures.bootstrap(lambda means: means[:, 0], sample)
        covered += found.low < 0 < found.high
        widths.append(found.half / measures.over_images(sample[:, 0]).half)
    assert 50 <= covered <= 60
    assert 0.9 < np.mean(widths) < 1.05
    assert measures.bootstrap(lambda means: means[:, 0], sample) == found
    assert measures.bootstrap(lambda means: means[:, 0], sample, seed=1).low != found.low


def test_one_image_has_an_interval_without_ends() -> None:
    found = measures.by_group(make(n=1), "bird", "robust")
    assert found is not None and (found.low, found.high) == (-math.inf, math.inf)
    assert not found.beyond_noise
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert (document["low"], document["high"], document["n"]) == (None, None, 1)


def test_the_order_of_images_and_cells_changes_no_value() -> None:
    predictions = make()
    generator = np.random.default_rng(1)
    images, rows = generator.permutation(predictions.n), generator.permutation(len(predictions.cells))
    shuffled = Predictions(
        behaviour="corruptions",
        cells=tuple(predictions.cells[row] for row in rows),
        images=predictions.images[images],
        labels=predictions.labels[images],
        predicted={model: values[rows][:, images] for model, values in predictions.predicted.items()},
        confidence={model: values[rows][:, images] for model, values in predictions.confidence.items()},
    )
    for group in GROUPS:
        one, other = (measures.by_group(each, "bird", group) for each in (predictions, shuffled))
        assert one is not None and other is not None
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    for figure in (measures.mean_corruption_error, measures.relative_mean_corruption_error):
        one, other = (figure(each, "bird") for each in (predictions, shuffled))
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.value == pytest.approx(other.value)


def test_predictions_survive_their_file() -> None:
    predictions = make()
    again = Predictions.from_arrays(predictions.arrays())
    assert again.cells == predictions.cells and again.models == predictions.models
    assert again.conditions == (*SEEN, *HELD_OUT) and again.strengths == (1, 2, 3, 4, 5)
    for model in MODELS:
        np.testing.assert_array_equal(again.predicted[model], predictions.predicted[model])
        np.testing.assert_array_equal(again.confidence[model], predictions.confidence[model])
    np.testing.assert_array_equal(again.images, predictions.images)
    np.testing.assert_array_equal(again.labels, predictions.labels)
    np.testing.assert_array_equal(again.correct("bird", ("fog", 3)), predictions.correct("bird", ("fog", 3)))
    with pytest.raises((KeyError, ValueError)):
        Predictions.from_arrays({"cells": np.array(["clean 0"])})


def test_held_out_kinds_are_the_four_that_no_teacher_sees() -> None:
    assert {name for name, facts in CORRUPTIONS.items() if facts.held_out} == set(HELD_OUT)
    assert measures.group_names(make(), "held_out") == HELD_OUT


def test_the_interval_of_a_calibration_error_holds_its_value() -> None:
    """Resampling makes ECE larger: without the move back, a well calibrated network's would lie above its own value."""
    generator = np.random.default_rng(3)
    n = 300
    confidence = generator.uniform(0.3, 1, size=(1, n)).astype(np.float16)
    labels = np.zeros(n, dtype=np.int64)
    predicted = (generator.random((1, n)) > confidence).astype(np.int16)
    calibrated = Predictions(
        behaviour="corruptions",
        cells=(CLEAN,),
        images=np.arange(n),
        labels=labels,
        predicted={"m": predicted},
        confidence={"m": confidence},
    )
    found = measures.calibration_error(calibrated, "m", "clean")
    assert found is not None
    assert 0 <= found.low < found.value < found.high
