"""Intervals as JSON and in words, whatever their ends: what is written comes back, and no text breaks on it."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.severity_grid import severity_grid
from app.words.intervals import explained, percent, plus_minus, points, verdict, word
from bird_backend import measures
from bird_backend.measures import CLEAN, Interval, Predictions, bootstrap, over_images
from bird_backend.measures.intervals import Kind
from bird_backend.studies import Entry, say

NUMBERS = st.floats(-1e9, 1e9)
KINDS = get_args(Kind)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    value = draw(NUMBERS)
    low = draw(st.one_of(st.just(-math.inf), st.floats(-1e12, value)))
    high = draw(st.one_of(st.just(math.inf), st.floats(value, 1e12)))
    return Interval(value=value, low=low, high=high, n=draw(st.integers(0, 10**6)), kind=draw(st.sampled_from(KINDS)))


@given(intervals())
def test_what_is_written_comes_back(interval: Interval) -> None:
    text = json.dumps(interval.as_dict(), allow_nan=False)
    assert Interval.from_dict(json.loads(text)) == interval


@given(intervals())
def test_every_text_has_words_for_every_interval(interval: Interval) -> None:
    said = [points(interval), plus_minus(interval), explained(interval), word(interval), verdict(interval)]
    said.append(say(Entry(value=interval.value, interval=interval), "gain"))
    for text in said:
        assert "nan" not in text and "inf" not in text and "None" not in text, text


def test_an_end_without_bound_is_said_so() -> None:
    one = over_images(np.array([1.0]))
    assert one.as_dict() == {"value": 1.0, "low": None, "high": None, "n": 1, "kind": "normal, over images"}
    assert not one.bounded
    assert points(one) == "+100.0 ± ∞"
    assert plus_minus(one) == "100.0 ± ∞"
    assert explained(one) == "95 % interval −∞ to ∞ (normal, over images, n\u00a0=\u00a01)"
    assert percent(-math.inf) == "−∞"
    assert not one.beyond_noise


@pytest.mark.parametrize("ends", [(math.nan, math.nan), (math.inf, math.inf), (-math.inf, -math.inf), (0.5, math.nan)])
def test_an_end_that_is_no_number_bounds_nothing(ends: tuple[float, float]) -> None:
    low, high = ends
    found = Interval(value=0.5, low=low, high=high, n=3, kind="bootstrap, over images")
    assert found.high == math.inf
    assert found.low in (0.5, -math.inf)
    assert not found.bounded
    assert Interval.from_dict(found.as_dict()) == found


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_bootstrap_among_infinite_resamples_has_ends() -> None:
    found = bootstrap(lambda means: np.where(means[:, 0] < 2, np.inf, 1.0), np.array([[1.0], [3.0]]))
    assert found.low <= found.high


@pytest.mark.parametrize(
    "document",
    [
        None,
        3,
        "x",
        [],
        {},
        {"value": 1, "low": 0},
        {"value": None, "low": 0, "high": 1, "n": 3, "kind": KINDS[0]},
        {"value": "1", "low": 0, "high": 1, "n": 3, "kind": KINDS[0]},
        {"value": 1, "low": [], "high": 1, "n": 3, "kind": KINDS[0]},
        {"value": 1, "low": 0, "high": 1, "n": "3", "kind": KINDS[0]},
        {"value": 1, "low": 0, "high": 1, "n": 3, "kind": "guessed"},
        {"value": True, "low": 0, "high": 1, "n": 3, "kind": KINDS[0]},
    ],
)
def test_anything_else_is_no_interval(document: Any) -> None:
    assert Interval.from_dict(document) is None


def test_one_image_gives_the_grid_no_infinity() -> None:
    cells = (CLEAN, ("contrast", 1))
    answers = {model: np.zeros((2, 1), np.int16) for model in ("before", "bird")}
    predictions = Predictions(
        behaviour="corruptions",
        cells=cells,
        images=np.arange(1),
        labels=np.zeros(1, int),
        predicted=answers,
        confidence={model: np.full((2, 1), 0.5, np.float16) for model in answers},
    )
    assert measures.by_group(predictions, "bird", "robust") is not None
    json.dumps(severity_grid(predictions), allow_nan=False)
