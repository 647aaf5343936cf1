"""A real browser before a real server: how tests start both, and what they ask of a page."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bird_backend.runs.directory import is_locked

__all__ = [
    "CHROMIUM",
    "FAULTS",
    "PAGES",
    "PIXELS",
    "ROOT",
    "address",
    "browser",
    "browser_tests",
    "end_supervisor",
    "focused",
    "look_closely",
    "no_fault",
    "opened",
    "serious",
    "server",
    "settled",
    "until",
]

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = os.environ.get("BIRD_REQUIRE_BROWSER") == "1"
PAGES = (
    "",
    "launch",
    "live",
    "compare",
    "runs",
    "embeddings",
    "robustness",
    "teachers",
    "atlas",
    "images",
    "gallery",
    "models",
)
FAULTS = ("moderate", "serious", "critical")
"""What axe may not find where a page is looked at closely."""

browser_tests = [
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="NO CHROMIUM FOUND: the browser tests were not run"),
]
"""The marks of a file of browser tests."""


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
            end_supervisor(home)
    assert "Traceback" not in (tmp_path / "server.log").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only the browser tests pay for it

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


def end_supervisor(home: Path) -> None:
    """Supervisor and runs outlive the server on purpose, so the test ends whoever works on its home."""
    asked = f"BIRD_HOME={home}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if b"bird_backend" in command and asked in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGTERM)
    for lock in (home / "supervisor.lock", *home.glob("runs/*/lock")):
        until(lambda held=lock: not is_locked(held), seconds=30)


@contextmanager
def opened(browser: Any, *, width: int = 1280, height: int = 900, scheme: str = "light") -> Iterator[Any]:
    """A page of a fresh visitor, in a window of that size and a system of that colour scheme."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    try:
        yield context.new_page()
    finally:
        context.close()


_WEARS = """(scheme) => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app && getComputedStyle(app).colorScheme === scheme;
}"""


def _looks(page: Any) -> Iterator[tuple[str, int]]:
    """The page light and dark, wide and narrow, one after the other, without loading it again."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(_WEARS, arg=scheme, timeout=30_000)
            yield scheme, width


def no_fault(page: Any) -> None:
    """Nothing on the page is an exception, and nothing sticks out of it sideways."""
    assert page.locator("[data-testid='stException']").count() == 0
    assert "Traceback" not in page.inner_text("body")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, f"{page.url} is {wide} px wider than its window"


def serious(page: Any, impacts: tuple[str, ...] = ("serious", "critical"), *, rules: tuple[str, ...] = ()) -> list[str]:
    """Accessibility faults that axe calls serious or critical, or of other `impacts`; by all its rules or by some."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only the browser tests pay for it

    settled(page)
    violations = Axe().run(page, options={"runOnly": list(rules)} if rules else None).response["violations"]
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:160]}" for fault in violations if fault["impact"] in impacts]


def look_closely(page: Any, name: str) -> None:
    """Nothing is wrong with the page in any of its looks; in the dark only colours are others."""
    for scheme, width in _looks(page):
        no_fault(page)
        found = serious(page, FAULTS, rules=("color-contrast",) if scheme == "dark" else ())
        assert not found, (name, scheme, width, found)


_CALM = """([asked, during]) => {
    const app = document.querySelector('[data-testid="stApp"]');
    const busy = !document.querySelector('h1')
        || app?.dataset.testScriptState !== 'notRunning'
        || document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]')
        || document.getAnimations().some((each) =>
            each.playState === 'running' && each.effect?.getComputedTiming().endTime !== Infinity);
    if (busy || window.calmFor?.asked !== asked) window.calmFor = { asked, since: performance.now() };
    return !busy && performance.now() - window.calmFor.since >= during;
}"""


def settled(page: Any) -> None:
    """The page has its title, and for a while Streamlit has neither worked on it nor moved or faded anything.

    Its sign of work comes only half a second after the work begins; what it will draw anew is pale until then.
    """
    page.wait_for_function(_CALM, arg=[time.monotonic(), 300], timeout=60_000)


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


PIXELS = """(selector) => {
    const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
    const canvases = roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    const pixels = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return canvases.map((canvas) => pixels(canvas).reduce((sum, value, at) => sum + value * (at % 7 + 1), 0));
}"""
"""For each canvas of the components a number that stands for its picture."""
