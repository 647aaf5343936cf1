"""Figures over seeds, and differences paired by seed, against plain NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bird_backend.measures import (
    Interval,
    Shares,
    difference_by_seed,
    differences,
    gap_recovered,
    gap_recovered_by_seed,
    gaps_recovered,
    mean_by_seed,
    over_images,
    wilson,
)

N = 200


def shares(*rates: float, noise: float = 0.1, seed: int = 0) -> Shares:
    """Per-image shares about each seed's rate."""
    generator = np.random.default_rng(seed)
    return {at: generator.normal(rate, noise, N) for at, rate in enumerate(rates)}


def student(values: list[float]) -> tuple[float, float, float]:
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return float(np.mean(values)), float(low), float(high)


def ends(interval: Interval | None) -> tuple[float, float, float]:
    assert interval is not None
    return interval.value, interval.low, interval.high


def test_a_mean_is_over_seeds_where_there_are_some_else_over_images() -> None:
    ours = shares(0.5, 0.6, 0.8)
    assert ends(mean_by_seed(ours)) == pytest.approx(student([float(share.mean()) for share in ours.values()]))
    assert mean_by_seed({4: ours[0]}) == over_images(ours[0])
    answers = (np.arange(N) < 30).astype(float)
    assert mean_by_seed({4: answers}, single=True) == wilson(30, N)
    assert mean_by_seed({}) is None


def test_a_difference_takes_only_the_seeds_that_both_have() -> None:
    ours, theirs = shares(0.5, 0.7, 0.6), shares(0.4, 0.7, 0.3, seed=1)
    expected = [float(ours[s].mean() - theirs[s].mean()) for s in (1, 2)]
    found = difference_by_seed({s: ours[s] for s in (1, 2)}, theirs)
    assert ends(found) == pytest.approx(student(expected))
    assert differences({s: ours[s] for s in (2, 1)}, theirs) == pytest.approx({1: expected[0], 2: expected[1]})
    assert difference_by_seed({1: ours[1]}, theirs) == over_images(ours[1] - theirs[1])
    assert difference_by_seed({7: ours[1]}, theirs) is None


def test_what_the_seeds_share_is_no_part_of_a_paired_interval() -> None:
    draws = (0.2, 0.5, 0.8)
    ours, theirs = shares(*(draw + 0.1 for draw in draws), noise=0.0), shares(*draws, noise=0.0)
    paired = difference_by_seed(ours, theirs)
    assert ends(paired) == pytest.approx((0.1, 0.1, 0.1))
    assert gap_recovered_by_seed(ours, theirs, theirs) is None


def test_each_seed_has_a_gap_of_its_own() -> None:
    floor, ceiling, after = shares(0.3, 0.4, 0.5), shares(0.7, 0.9, 0.8, seed=1), shares(0.5, 0.5, 0.9, seed=2)
    ratios = [float((after[s].mean() - floor[s].mean()) / (ceiling[s].mean() - floor[s].mean())) for s in sorted(floor)]
    assert ends(gap_recovered_by_seed(after, floor, ceiling)) == pytest.approx(student(ratios))
    assert gaps_recovered(after, floor, {s: ceiling[s] for s in (1, 2)}) == pytest.approx({1: ratios[1], 2: ratios[2]})
    assert ratios[2] > 1, "unclipped"
    alone = gap_recovered_by_seed({0: after[0]}, floor, ceiling)
    assert alone == gap_recovered(after[0], floor[0], ceiling[0])


@pytest.mark.parametrize("rates", [(0.3, 0.4, 0.301), (0.35, 0.9, 0.5), (0.1, 0.2, 0.1)])
def test_without_a_gap_there_is_no_ratio(rates: tuple[float, ...]) -> None:
    """Within noise at one seed; within noise over seeds; a ceiling below the floor."""
    floor, ceiling = shares(0.3, 0.3, 0.3), shares(*rates, seed=1)
    assert gap_recovered_by_seed(shares(0.5, 0.5, 0.5), floor, ceiling) is None
    assert gap_recovered_by_seed({}, floor, shares(0.7, 0.7, 0.7)) is None
