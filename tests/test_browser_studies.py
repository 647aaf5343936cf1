"""A study read in a real browser: its table, its curves seed by seed, and an ablation's panels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import synthetic
from tests.browsing import FAULTS, address, browser_tests, no_fault, serious, settled, until

pytestmark = browser_tests


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
