"""The benchmark's figures and verdicts on corruptions, on cases small enough to know the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.corruption_fidelity import Disturbance, disturbance, exceeded, read_reference, reversed_pairs


def test_disturbance_is_that_of_a_loop_over_images() -> None:
    chance = torch.Generator().manual_seed(0)
    before, after = (torch.randint(256, (2, 5, 3, 4, 6), generator=chance)).to(torch.uint8)
    found = disturbance(before, after)
    differences = [(after[i].numpy() / 255.0 - before[i].numpy() / 255.0) for i in range(5)]
    assert found.mean_abs == pytest.approx(np.mean([np.abs(d).mean() for d in differences]))
    assert found.rms == pytest.approx(np.mean([np.sqrt((d**2).mean()) for d in differences]))
    assert found.mean_shift == pytest.approx(np.mean([d.mean() for d in differences]), abs=1e-6)
    assert found.chance == pytest.approx(np.std([d.mean() for d in differences]) / 5**0.5, rel=1e-4)


def test_figures_may_be_a_tenth_away_and_small_shifts_two_thousandths() -> None:
    published = Disturbance(mean_abs=0.1, rms=0.2, mean_shift=-0.005)
    assert exceeded("fog", replace(published, mean_abs=0.109, rms=0.181, mean_shift=-0.0069), published) == []
    off = Disturbance(mean_abs=0.111, rms=0.1, mean_shift=-0.0071)
    assert exceeded("fog", off, published) == ["mean_abs", "rms", "mean_shift"]
    assert exceeded("frost", replace(published, mean_abs=0.12), published) == []
    large = replace(published, mean_shift=0.1)
    assert exceeded("snow", replace(large, mean_shift=0.109), large) == []
    assert exceeded("snow", replace(large, mean_shift=0.111), large) == ["mean_shift"]


def test_severities_out_of_order_are_found_with_how_far_apart_they_are() -> None:
    assert reversed_pairs([1, 2, 3], [10, 20, 30]) == []
    assert reversed_pairs([2, 1, 3], [9, 10, 30]) == [(1, 2, pytest.approx(0.1))]


def test_a_reference_is_read_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "reference.csv"
    file.write_text("corruption,severity,images,mean_abs,rms,mean_shift\nfog,2,500,0.1,0.2,-0.3\n", "utf-8")
    assert read_reference(file) == {("fog", 2): Disturbance(mean_abs=0.1, rms=0.2, mean_shift=-0.3)}
