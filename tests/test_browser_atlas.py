"""The atlas in a real browser: cells by mouse and by key, folded stages, nearest images, and a reloaded link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.backend import data
from bird_backend.experiments import AnalyzeSpec
from bird_backend.specs import ModelRef
from tests import synthetic
from tests.browsing import address, browser, browser_tests, look_closely, opened, server, settled

__all__ = ["browser", "server"]

pytestmark = browser_tests


@pytest.fixture
def measured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which two networks with stages are measured. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    networks = {"teacher": ModelRef(model="resnet18"), "student": ModelRef(model="mobilenetv2")}
    run, _ = data.layer_map(AnalyzeSpec(data=data.demo_document()["data"], **networks))
    synthetic.write_layer_map(run)


def test_a_cell_is_looked_into_stages_fold_and_a_link_shows_the_same(measured: None, server: str, browser: Any) -> None:
    with opened(browser) as page:
        page.goto(f"{server}/atlas?teacher=random:resnet18&student=random:mobilenetv2")
        cell = page.get_by_role("button", name=re.compile(r"^teacher layer2\.0, student features\.3: CKA"))
        cell.wait_for(timeout=60_000)
        settled(page)
        cell.click()
        address(page, "guiding=layer2.0")
        page.get_by_role("heading", name="layer2.0 → features.3").wait_for(timeout=30_000)
        settled(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        address(page, "guiding=layer2.1")
        address(page, "guided=features.4")
        page.get_by_role("heading", name="layer2.1 → features.4").wait_for(timeout=30_000)
        page.get_by_role("button", name="Next image").click()
        address(page, "image=")
        fold = page.get_by_role("button", name=re.compile(r"layer1"), expanded=True)
        fold.press("Enter")
        address(page, "fold=")
        page.get_by_role("button", name=re.compile(r"layer1"), expanded=False).wait_for()
        assert page.get_by_role("button", name=re.compile(r"^teacher layer1\.0,")).count() == 0
        settled(page)
        image = page.locator(".nearest output").inner_text()
        page.reload()
        page.get_by_role("heading", name="layer2.1 → features.4").wait_for(timeout=30_000)
        settled(page)
        assert page.get_by_role("button", name=re.compile(r"^teacher layer1\.1,")).count() > 0
        assert page.get_by_role("button", name=re.compile(r"^teacher layer1\.0,")).count() == 0
        assert page.locator(".nearest output").inner_text() == image
        look_closely(page, "atlas")
