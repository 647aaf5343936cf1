"""A person in a real browser: presses the demo button, watches a curve grow, leaves, comes back, reads the result."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from bird_backend.runs.directory import is_locked
from tests.conftest import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = os.environ.get("BIRD_REQUIRE_BROWSER") == "1"
PAGES = ("", "launch", "live", "compare", "embeddings", "robustness", "models")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="NO CHROMIUM FOUND: the browser tests were not run"),
]


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[str]:
    """The app as `streamlit run app/main.py` starts it, on a home of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"BIRD_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            until(lambda: _answers(f"{address}/_stcore/health"))
            yield address
        finally:
            process.terminate()
            process.wait()
            _end_supervisor(home)
    assert "Traceback" not in (tmp_path / "server.log").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    assert CHROMIUM is not None, "the browser tests are required here and there is no Chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        yield chromium
        chromium.close()


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait for something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own server
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def _end_supervisor(home: Path) -> None:
    """Supervisor and runs outlive the server on purpose, so the test ends them."""
    for lock in (home / "supervisor.lock", *home.glob("runs/*/lock")):
        if is_locked(lock):
            os.kill(int(lock.read_text("utf-8")), signal.SIGTERM)
            until(lambda held=lock: not is_locked(held), seconds=30)


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


def no_fault(page: Any) -> None:
    """Nothing on the page is an exception, and nothing sticks out of it sideways."""
    assert page.locator("[data-testid='stException']").count() == 0
    assert "Traceback" not in page.inner_text("body")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, f"{page.url} is {wide} px wider than its window"


def serious(page: Any) -> list[str]:
    """Accessibility faults that axe calls serious or critical."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in violations
        if fault["impact"] in ("serious", "critical")
    ]


def settled(page: Any) -> None:
    """The page has its title and Streamlit has stopped working on it."""
    page.locator("h1").first.wait_for(timeout=30_000)
    page.wait_for_function(
        "() => !document.querySelector(\"[data-testid='stStatusWidget']\") "
        "&& !document.querySelector(\"[data-testid='stSkeleton']\")",
        timeout=30_000,
    )
    page.wait_for_timeout(300)


def test_the_demo_from_the_button_to_the_result(server: str, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server)
    page.get_by_role("button", name="Run the demo transfer").click()
    page.wait_for_url(re.compile(r"/live\?.*run=\d{8}-\d{6}-transfer-[0-9a-f]{4}"), timeout=30_000)
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


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_every_page_of_an_empty_home_leads_somewhere(server: str, browser: Any, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for path in PAGES:
        page.goto(f"{server}/{path}")
        settled(page)
        no_fault(page)
        assert serious(page) == [], path
        assert (
            page.locator("[data-testid='stMain']").get_by_role("button").count()
            or page.locator("[data-testid='stMain'] a").count()
        )
    page.goto(f"{server}/live?run=../../etc/passwd")
    settled(page)
    no_fault(page)
    context.close()
