"""What our own components draw in a real browser, by mouse and by keyboard: the severity grid and the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.backend import data
from tests import synthetic
from tests.browsing import FAULTS, PIXELS, address, browser_tests, focused, no_fault, serious, settled, until

pytestmark = browser_tests


@pytest.fixture
def drawn(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home with a measured transfer and a finished gallery; the transfer's id. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    synthetic.write_gallery(data.gallery(data="fashion-mnist-small")[0])
    return synthetic.write_transfer("done").id


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_cell_and_its_pictures(drawn: str, server: str, browser: Any, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server}/robustness?run={drawn}")
    cell = page.locator('button[data-key="fog 2"]')
    cell.wait_for(timeout=60_000)
    settled(page)
    assert page.locator(".card").count() == 0
    cell.click()
    page.locator(".card").first.wait_for(timeout=30_000)
    address(page, "cell=fog.2")
    until(lambda: page.locator(".card").count() == synthetic.SHOWN, seconds=30)
    assert page.get_by_role("heading", name="Fog, severity 2").is_visible()
    # The canvases hold pictures, clean and corrupted, that differ.
    until(lambda: page.evaluate(PIXELS, ".card canvas")[0] > 0)
    first, second = page.evaluate(PIXELS, ".card canvas")[:2]
    assert first != second

    # By keyboard: one stop for the whole table, arrows within it, Enter opens.
    cell.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "brightness 3"
    page.keyboard.press("Enter")
    address(page, "cell=brightness.3")
    page.get_by_role("heading", name="Brightness, severity 3").wait_for(timeout=30_000)
    assert page.locator('table.grid [data-key][tabindex="0"]').count() == 1

    page.get_by_role("button", name="Accuracy", exact=True).click()
    address(page, "show=accuracy")
    page.get_by_label("Sorted").select_option("accuracy")
    address(page, "sort=accuracy")
    page.get_by_label("Grouped").select_option("kind")
    address(page, "group=kind")
    rows = page.locator("table.grid tr.group th").all_inner_texts()
    assert [row.split(" (")[0] for row in rows] == ["Noise", "Blur", "Weather", "Digital", "All"]
    box = page.locator('button[data-key="contrast 1"]').bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    no_fault(page)
    assert serious(page, FAULTS) == []

    # The address alone brings all of it back.
    page.goto(page.evaluate("location.href"))
    page.get_by_role("heading", name="Brightness, severity 3").wait_for(timeout=60_000)
    assert page.get_by_label("Sorted").input_value() == "accuracy"
    context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_gallery_slides_without_the_server(drawn: str, server: str, browser: Any, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server}/gallery")
    page.locator(".specimen").first.wait_for(timeout=60_000)
    settled(page)
    assert page.locator(".specimen").count() == 19
    slider = page.get_by_role("slider", name="Severity")
    slider.focus()
    before = until(lambda: page.evaluate(PIXELS, ".specimen canvas"))
    # From the key to every picture redrawn, with nothing asked of the server in between.
    took = page.evaluate(
        """async () => {
            const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot);
            const root = roots.find((found) => found?.querySelector('.specimen'));
            const slider = root.querySelector('input[type=range]');
            const began = performance.now();
            slider.value = 5;
            slider.dispatchEvent(new Event('input'));
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
            return performance.now() - began;
        }"""
    )
    after = page.evaluate(PIXELS, ".specimen canvas")
    assert all(one != other for one, other in zip(before, after, strict=True)), took
    page.keyboard.press("Home")
    clean = page.evaluate(PIXELS, ".specimen canvas")
    assert len(set(clean)) == 1, "at severity 0 all show the same image"
    address(page, "strength=0")

    page.get_by_role("button", name="image 2").click()
    address(page, "image=1")
    until(lambda: page.evaluate(PIXELS, ".specimen canvas")[0] != clean[0])
    page.locator(".specimen[data-name=snow]").click()
    address(page, "zoom=snow")
    assert page.get_by_role("heading", name="Snow").is_visible()
    page.get_by_role("group", name="Severities").get_by_role("button").nth(3).click()
    address(page, "strength=4")
    no_fault(page)
    assert serious(page, FAULTS) == []
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('zoom')", timeout=30_000)
    assert focused(page) == "snow"
    context.close()
