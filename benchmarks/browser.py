"""The app and a browser to measure it with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bird_backend.runs.directory import is_locked

__all__ = ["ROOT", "chromium", "serve", "settle"]

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def serve(home: Path, port: int) -> Iterator[str]:
    """The app on `home`; its address. The supervisor it starts ends with it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | {"BIRD_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310 - our own server
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()
        lock = home / "supervisor.lock"
        if is_locked(lock):
            os.kill(int(lock.read_text("utf-8")), signal.SIGTERM)
            while is_locked(lock):
                time.sleep(0.1)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless, software rendering."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox"],
        )
        yield browser
        browser.close()


def settle(page: Page) -> None:
    """Wait until the page has its title and Streamlit has stopped working on it."""
    page.locator("h1").first.wait_for(timeout=60_000)
    page.wait_for_function(
        "() => !document.querySelector(\"[data-testid='stStatusWidget']\")"
        " && !document.querySelector(\"[data-testid='stSkeleton']\")",
        timeout=60_000,
    )
