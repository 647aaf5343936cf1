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

from app.backend import data
from bird_backend.runs.directory import is_locked
from tests import synthetic
from tests.conftest import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = os.environ.get("BIRD_REQUIRE_BROWSER") == "1"
PAGES = ("", "launch", "live", "compare", "embeddings", "robustness", "gallery", "models")

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


def serious(page: Any, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """Accessibility faults that axe calls serious or critical, or of other `impacts`."""
    violations = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:160]}" for fault in violations if fault["impact"] in impacts]


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


@pytest.fixture
def drawn(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home with a measured transfer and a finished gallery; the transfer's id. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    synthetic.write_gallery(data.gallery(data="fashion-mnist-small")[0])
    return synthetic.write_transfer("done").id


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_study_is_read_copied_and_seen_seed_by_seed(
    home: Path, request: pytest.FixtureRequest, browser: Any, scheme: Any, width: int
) -> None:
    methods = synthetic.write_study(seeds=2)
    ablation = synthetic.write_study(preset="beta", seeds=2)
    server: str = request.getfixturevalue("server")  # after the studies, which a worker would take for its own
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server}/compare")
    address(page, f"study={ablation.id}")
    page.goto(f"{server}/compare?study={methods.id}")
    table = page.get_by_role("region", name="Figures of each variant")
    table.wait_for(timeout=60_000)
    settled(page)
    assert table.get_by_role("rowheader").count() == len(methods.variants)
    assert "below the control's" in table.inner_text()
    until(lambda: page.evaluate(BANDS) == len(methods.variants) - 1)  # the untouched student has no curve
    page.get_by_text("Each seed by itself").click()
    address(page, "singles=true")
    until(lambda: page.evaluate(BANDS) == 0)
    page.get_by_text("Copy or download the table").click()
    page.get_by_role("radio", name="LaTeX").or_(page.get_by_role("button", name="LaTeX")).first.click()
    page.get_by_text("\\toprule").wait_for(timeout=30_000)
    page.mouse.move(5, 5)
    settled(page)
    no_fault(page)
    assert serious(page, FAULTS) == []

    page.goto(f"{server}/compare?study={ablation.id}")
    page.get_by_role("figure", name=re.compile("Gain against beta")).wait_for(timeout=60_000)
    settled(page)
    no_fault(page)
    assert serious(page, FAULTS) == []
    context.close()


BANDS = """() => [...document.querySelectorAll('.chart')].find(
    (node) => /CKA/.test(node.getAttribute('aria-label') || '')
)?.data?.filter((trace) => trace.fill === 'toself').length"""
"""How many bands from the lowest to the highest seed the study's chart has."""


def focused(page: Any) -> str | None:
    """What the focus is on inside a component: its cell, or its corruption."""
    found: str | None = page.evaluate(
        """() => {
            const inner = document.activeElement?.shadowRoot?.activeElement;
            return inner?.dataset.key ?? inner?.dataset.name ?? null;
        }"""
    )
    return found


def address(page: Any, part: str) -> None:
    """Wait until the address says it."""
    page.wait_for_function("part => location.search.includes(part)", arg=part, timeout=30_000)


FAULTS = ("moderate", "serious", "critical")


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
    assert page.locator(".card").count() == synthetic.SHOWN
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
    address(page, "severity=0")

    page.get_by_role("button", name="image 2").click()
    address(page, "image=1")
    until(lambda: page.evaluate(PIXELS, ".specimen canvas")[0] != clean[0])
    page.locator(".specimen[data-name=snow]").click()
    address(page, "zoom=snow")
    assert page.get_by_role("heading", name="Snow").is_visible()
    page.get_by_role("group", name="Severities").get_by_role("button").nth(3).click()
    address(page, "severity=4")
    no_fault(page)
    assert serious(page, FAULTS) == []
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('zoom')", timeout=30_000)
    assert focused(page) == "snow"
    context.close()


PIXELS = """(selector) => {
    const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
    const canvases = roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    const pixels = (canvas) => canvas.getContext('2d').getImageData(0, 0, 32, 32).data;
    return canvases.map((canvas) => pixels(canvas).reduce((sum, value, at) => sum + value * (at % 7 + 1), 0));
}"""
"""For each canvas of the components a number that stands for its picture."""
