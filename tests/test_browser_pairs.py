"""A study of pairs in a real browser: its table, what scores foretell, the forms that begin more, and runs marked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bird_backend.studies import list_studies
from tests.browsing import address, browser, browser_tests, look_closely, opened, server, settled
from tests.planted_pairs import write_pairs
from tests.rankings import write_ranking

__all__ = ["browser", "server"]

pytestmark = browser_tests


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    write_ranking()
    write_pairs()
    return tmp_path / "home"


def test_pairs_are_read_predicted_and_run_from_a_ranking(browser: Any, server: str) -> None:
    with opened(browser, height=1600) as page:
        page.goto(f"{server}/compare")
        table = page.get_by_test_id("stDataFrame")
        table.wait_for(timeout=60_000)
        settled(page)
        assert "digits-adversarial-teacher" in table.evaluate("node => node.textContent")
        box = table.bounding_box()
        page.mouse.click(box["x"] + 18, box["y"] + 52)  # the box before the first row
        page.get_by_role("link", name=re.compile("its run")).wait_for(timeout=30_000)
        page.get_by_text("More of this study").click()
        page.get_by_text("14 more runs").wait_for(timeout=30_000)
        look_closely(page, "pairs")

        page.set_viewport_size({"width": 1280, "height": 2400})
        [study] = list_studies()
        page.goto(f"{server}/teachers?pairs={study.id}")
        settled(page)
        page.get_by_text("Are the scores right?").click()
        page.get_by_text("(5 pairs + 2 references) × 1 seed = 7 runs").wait_for(timeout=60_000)
        page.get_by_role("button", name="All 6").click()
        page.get_by_text("(6 pairs + 2 references) × 1 seed = 8 runs").wait_for(timeout=60_000)
        look_closely(page, "teachers and what they foretell")
        page.set_viewport_size({"width": 1280, "height": 2400})
        chart = page.locator('.chart[aria-label^="Predicted against real"]')
        chart.scroll_into_view_if_needed()
        settled(page)
        points = chart.locator(".scatterlayer .trace").nth(1).locator(".points path")
        assert points.count() == 12, "a point a pair"
        point = points.first.bounding_box()
        page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
        page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
        page.wait_for_url(re.compile("/live"), timeout=30_000)
        address(page, "run=")

        page.set_viewport_size({"width": 1280, "height": 1400})
        page.goto(f"{server}/runs")
        settled(page)
        page.get_by_role("button", name="Mark").first.click()
        page.get_by_label("Name").fill("The one for the talk")
        page.get_by_role("button", name="Keep").click()
        page.locator(".st-key-runs, [class*=st-key-card_]").first.get_by_text("The one for the talk").wait_for()
        settled(page)
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("The run is in the trash").wait_for(timeout=30_000)
        page.get_by_text("The one for the talk").wait_for(state="detached", timeout=30_000)
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("The one for the talk").first.wait_for(timeout=30_000)
        page.get_by_role("radio", name="Table").or_(page.get_by_role("button", name="Table")).first.click()
        address(page, "show=table")
        settled(page)
        box = page.get_by_test_id("stDataFrame").bounding_box()
        for row in (52, 87):
            page.mouse.click(box["x"] + 16, box["y"] + row)
            settled(page)
        page.get_by_text("2 runs chosen").wait_for(timeout=30_000)
        look_closely(page, "runs")
