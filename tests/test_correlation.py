"""The rank correlation of cells of a table of layers, against SciPy and against a bootstrap written as a loop."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bird_backend.measures import rank_correlation

ROWS, COLUMNS = 5, 6
PLACES = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]


def cells(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[int], list[int]]:
    generator = np.random.default_rng(seed)
    x = np.round(generator.normal(size=len(PLACES)), 1)  # some are equal
    y = x + noise * generator.normal(size=len(PLACES))
    return x, y, [row for row, _ in PLACES], [column for _, column in PLACES]


@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_it_is_spearmans(noise: float) -> None:
    x, y, rows, columns = cells(noise)
    found = rank_correlation(x, y, rows, columns)
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.n == len(PLACES) and found.kind == "bootstrap, over layers"


def test_its_interval_is_that_of_layers_drawn_anew() -> None:
    x, y, rows, columns = cells(1.0)
    found = rank_correlation(x, y, rows, columns)
    generator, drawn = np.random.default_rng(7), []
    by_place = dict(zip(PLACES, zip(x, y, strict=True), strict=True))
    for _ in range(1500):
        taken = [generator.integers(count, size=count) for count in (ROWS, COLUMNS)]
        sample = [by_place[int(row), int(column)] for row in taken[0] for column in taken[1]]
        drawn.append(stats.spearmanr(*zip(*sample, strict=True)).statistic)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.05)


def test_it_is_the_same_whatever_the_order_and_the_scale() -> None:
    x, y, rows, columns = cells(1.0)
    found = rank_correlation(x, y, rows, columns)
    stretched = rank_correlation(np.exp(x), 5 * y + 2, rows, columns)
    turned = rank_correlation(-x, y, rows, columns)
    assert found is not None and stretched == found
    assert turned is not None and turned.value == pytest.approx(-found.value)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=0.02)


def test_unrelated_numbers_are_within_noise_and_equal_ones_have_none() -> None:
    x, _, rows, columns = cells(1.0)
    other = cells(1.0, seed=3)[0]
    found = rank_correlation(x, other, rows, columns)
    assert found is not None and not found.beyond_noise
    assert rank_correlation(x, np.ones(len(x)), rows, columns) is None
    assert rank_correlation(x[:3], other[:3], rows[:3], columns[:3]) is None


def test_cells_of_one_row_have_a_value_and_no_interval() -> None:
    found = rank_correlation(np.arange(5.0), np.arange(5.0) ** 2, [0] * 5, range(5))
    assert found is not None and found.value == pytest.approx(1) and not found.bounded
