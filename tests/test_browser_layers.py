"""Choosing a layer pair from the measured map in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.backend import data
from bird_backend.experiments import AnalyzeSpec
from bird_backend.specs import ModelRef
from tests import synthetic
from tests.browsing import address, browser_tests, no_fault, opened, serious, settled

pytestmark = browser_tests

ROLES = {
    "teacher": ModelRef(model="resnet-narrow", weights="digits-robust-teacher"),
    "student": ModelRef(model="resnet-narrow", weights="fashion-student"),
}


@pytest.fixture
def measured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which the demo's layers are measured. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    run, _ = data.layer_map(AnalyzeSpec(data="fashion-mnist-small", **ROLES))
    synthetic.write_layer_map(run)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_whole_cell_chooses_a_pair_and_so_does_a_key(
    measured: None, server: str, browser: Any, scheme: str, width: int
) -> None:
    with opened(browser, width=width, scheme=scheme) as page:
        page.goto(f"{server}/launch")
        cell = page.get_by_role("button", name=re.compile("teacher stem, student block3"))
        cell.wait_for(timeout=60_000)
        settled(page)
        cell.scroll_into_view_if_needed()
        box = cell.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        names = page.get_by_role("columnheader").first
        assert names.evaluate("each => getComputedStyle(each).overflowWrap") == "normal", "no word is broken within"
        if width < 640:
            blocks = page.get_by_test_id("stHorizontalBlock")
            gaps = blocks.evaluate_all("all => all.map((each) => parseFloat(getComputedStyle(each).rowGap))")
            assert gaps and max(gaps) <= 16, "columns that lie under each other stand close"
        # In a corner, far from the middle that a marker would have.
        page.mouse.click(box["x"] + box["width"] - 3, box["y"] + 3)
        address(page, "guiding=stem")
        address(page, "guided=block3")
        settled(page)
        assert cell.get_attribute("aria-pressed") == "true"
        cell.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        page.wait_for_function("() => !location.search.includes('guided=')", timeout=30_000)
        settled(page)
        chosen = page.get_by_role("button", name=re.compile("teacher block1, student block2"))
        assert chosen.get_attribute("aria-pressed") == "true"
        assert page.get_by_text("pool of Narrow ResNet is the mean of its block3").count() == 1
        no_fault(page)
        assert serious(page) == []
