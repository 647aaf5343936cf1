"""A person in a real browser: presses the demo button, watches a curve grow, leaves, comes back, reads the result."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browsing import PAGES, browser_tests, look_closely, no_fault, opened, serious, settled, until

pytestmark = browser_tests


def curve(page: Any) -> dict[str, Any]:
    """Points and horizontal range of the CKA chart; zero points before it is drawn."""
    found: dict[str, Any] = page.evaluate(
        """() => {
            const host = [...document.querySelectorAll('.chart')].find(
                (node) => node.data && /CKA/.test(node.getAttribute('aria-label') || ''));
            if (!host) return {points: 0, range: null};
            const points = host.data.reduce((sum, trace) => sum + (trace.x?.length ?? trace.x?.bdata?.length ?? 0), 0);
            return {points, range: host._fullLayout.xaxis.range.map(Number)};
        }"""
    )
    return found


def test_the_demo_from_the_button_to_the_result(server: str, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server)
    page.get_by_role("button", name="Run the demo transfer").click()
    page.wait_for_url(re.compile(r"/live\?.*run=\d{8}-\d{6}-transfer-[0-9a-f]{16}"), timeout=30_000)
    address = page.url
    page.get_by_role("progressbar").first.wait_for(timeout=30_000)

    first = until(lambda: curve(page)["points"])
    until(lambda: curve(page)["points"] > first)

    # The reader zooms in, points go on arriving, the zoom stays.
    host = page.locator(".chart").filter(has=page.locator(".plot-container")).first
    box = host.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.7, steps=5)
    page.mouse.up()
    zoomed = curve(page)
    until(lambda: curve(page)["points"] > zoomed["points"])
    assert curve(page)["range"] == pytest.approx(zoomed["range"])
    no_fault(page)

    # Leaves in the middle, comes back by the address: nothing is lost.
    context.close()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(address)
    until(lambda: curve(page)["points"] >= zoomed["points"])

    page.get_by_role("heading", name="Did it help?").wait_for(timeout=240_000)
    settled(page)
    body = page.inner_text("[data-testid='stMain']")
    for word in ("BIRD", "fine-tuning", "robust accuracy", "Done"):
        assert word in body
    for path in ("live", "robustness", "embeddings", "compare"):
        page.goto(address.replace("/live", f"/{path}").replace("run=", "runs=" if path == "compare" else "run="))
        settled(page)
        no_fault(page)
        assert serious(page) == []
    context.close()


def test_every_page_of_an_empty_home_leads_somewhere(server: str, browser: Any) -> None:
    with opened(browser) as page:
        for path in PAGES:
            page.goto(f"{server}/{path}")
            look_closely(page, path)
            assert (
                page.locator("[data-testid='stMain']").get_by_role("button").count()
                or page.locator("[data-testid='stMain'] a").count()
            )
        page.goto(f"{server}/live?run=../../etc/passwd")
        settled(page)
        no_fault(page)
