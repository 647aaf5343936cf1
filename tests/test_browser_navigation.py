"""Going from page to page in a real browser: one run stays in view, and Back is one press."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests import synthetic
from tests.browsing import ROOT, address, browser_tests, no_fault, settled

pytestmark = browser_tests


@pytest.fixture
def runs(home: Path) -> tuple[str, str]:
    """An older and a newer transfer, both done; ask for them before the server."""
    return synthetic.write_transfer("done", seed=1).id, synthetic.write_transfer("done", seed=2).id


def sidebar(page: Any, label: str) -> None:
    page.locator("[data-testid='stSidebarNav']").get_by_role("link", name=label).click()


def shown(page: Any) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def test_one_run_and_step_and_image_on_every_page_of_a_run(runs: tuple[str, str], server: str, browser: Any) -> None:
    older, _ = runs
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{server}/live?run={older}&arm=fine-tuning&step=48")
    settled(page)
    sidebar(page, "Embeddings")
    page.wait_for_url(re.compile(r"/embeddings"))
    address(page, f"run={older}")
    assert shown(page) == {"run": older, "arm": "fine-tuning", "step": "48"}
    cloud = page.locator("canvas[role=img]").first
    cloud.wait_for(timeout=60_000)
    settled(page)
    cloud.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    address(page, "image=1")
    sidebar(page, "Robustness")
    page.wait_for_url(re.compile(r"/robustness"))
    address(page, f"run={older}")
    assert shown(page) == {"run": older, "arm": "fine-tuning", "step": "48", "image": "1"}
    page.reload()
    settled(page)
    page.get_by_role("link", name="Its curves").click()
    page.wait_for_url(re.compile(r"/live"))
    assert shown(page)["image"] == "1"
    page.get_by_text("Image 2 of").first.wait_for(timeout=60_000)
    settled(page)
    page.go_back()
    page.wait_for_url(re.compile(r"/robustness"))
    assert shown(page)["run"] == older
    settled(page)
    page.go_back()
    page.wait_for_url(re.compile(r"/embeddings"))
    settled(page)
    page.go_back()
    page.wait_for_url(re.compile(r"/live"))
    assert shown(page) == {"run": older, "arm": "fine-tuning", "step": "48"}
    no_fault(page)
    context.close()


def test_a_scrub_makes_no_history_and_another_run_does(runs: tuple[str, str], server: str, browser: Any) -> None:
    older, newer = runs
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server)
    settled(page)
    sidebar(page, "Embeddings")
    address(page, f"run={newer}")
    slider = page.get_by_role("slider", name="Step of training")
    slider.wait_for(timeout=60_000)
    settled(page)
    before = page.evaluate("history.length")
    slider.press("Home")
    address(page, "step=0")
    settled(page)
    slider.press("ArrowRight")
    address(page, "step=24")
    assert page.evaluate("history.length") == before
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").nth(1).click()
    address(page, f"run={older}")
    settled(page)
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    address(page, f"run={newer}")
    address(page, "step=24")
    settled(page)
    page.go_back()
    page.get_by_role("heading", name="What is moving here?").wait_for(timeout=30_000)
    context.close()


def test_back_leaves_the_form_in_one_press_and_the_sidebar_finds_it_as_it_was(
    runs: tuple[str, str], server: str, browser: Any
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server)
    settled(page)
    sidebar(page, "Launch")
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.wait_for(timeout=60_000)
    settled(page)
    for number in ("7", "9"):
        epochs.fill(number)
        epochs.press("Enter")
        address(page, f"epochs={number}")
        settled(page)
    sidebar(page, "Models")
    page.get_by_role("heading", name="What is there to transfer?").wait_for(timeout=30_000)
    settled(page)
    sidebar(page, "Launch")
    address(page, "epochs=9")
    settled(page)
    assert page.get_by_label("Epochs", exact=True).input_value() == "9"
    for heading in ("What is there to transfer?", "What will I transfer?", "What is moving here?"):
        page.go_back()
        page.get_by_role("heading", name=heading).wait_for(timeout=30_000)
        settled(page)
    context.close()


def quiet(page: Any, url: str) -> None:
    """A page of nothing at that address, with the script alone."""
    page.route("**/*", lambda route: route.fulfill(body="<p>A page.</p>", content_type="text/html"))
    page.goto(url)
    script = (ROOT / "app/components/browser/history.js").read_text("utf-8")
    page.evaluate(f"{script.replace('export default function', 'install(); function unused')}")


def test_the_parameters_of_the_next_page_leave_the_last_one_as_it_was(browser: Any) -> None:
    """Streamlit may write the next page's parameters before its path: they are not of the entry that is being left."""
    context = browser.new_context()
    page = context.new_page()
    quiet(page, "http://app.test/live?run=a&step=3")
    page.evaluate("history.pushState({}, '', '/live?epochs=9'); history.pushState({}, '', '/launch?epochs=9')")
    assert page.evaluate("history.length") == 3
    page.evaluate("history.pushState({}, '', '/launch?epochs=7')")
    address(page, "epochs=7")
    assert page.evaluate("history.length") == 3
    page.go_back()
    assert shown(page) == {"run": "a", "step": "3"}
    page.evaluate("history.pushState({}, '', '/live?run=b')")
    address(page, "run=b")
    page.go_back()
    assert shown(page) == {"run": "a", "step": "3"}
    context.close()


def test_a_page_that_was_left_does_not_come_back_by_itself(browser: Any) -> None:
    """The server may still be drawing it when Back is pressed, and Streamlit then pushes what it hears of."""
    context = browser.new_context()
    page = context.new_page()
    quiet(page, "http://app.test/models")
    page.evaluate("history.pushState({}, '', '/launch')")
    page.go_back()
    page.evaluate("history.pushState({}, '', '/launch')")
    assert urlparse(page.url).path == "/models"
    page.mouse.click(5, 5)
    page.evaluate("history.pushState({}, '', '/live')")
    assert urlparse(page.url).path == "/live"
    page.go_back()
    assert urlparse(page.url).path == "/models"
    context.close()
