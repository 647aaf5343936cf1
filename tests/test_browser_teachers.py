"""The teachers page in a real browser: a point that is pressed chooses its row, and nothing is wrong in any look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browsing import address, browser, browser_tests, look_closely, opened, server, settled
from tests.rankings import write_ranking

__all__ = ["browser", "server"]

pytestmark = browser_tests


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    write_ranking()
    return tmp_path / "home"


def test_a_pressed_point_chooses_its_row_and_the_page_has_no_fault(browser: Any, server: str) -> None:
    with opened(browser, height=1400) as page:
        page.goto(f"{server}/teachers")
        settled(page)
        first = page.locator("h2").first.inner_text()
        chart = page.locator('.chart[aria-label*="against"]').first
        chart.scroll_into_view_if_needed()
        point = chart.locator(".scatterlayer .trace").nth(1).locator(".points path").last
        point.wait_for(state="attached")
        box = point.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        address(page, "row=")
        page.wait_for_function("was => document.querySelector('h2').innerText !== was", arg=first)
        look_closely(page, "teachers")
