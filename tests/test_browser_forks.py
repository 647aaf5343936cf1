"""A run is forked at the step that the scrubber shows, and says image by image whom its CKA comes from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bird_backend import runs
from bird_backend.experiments import load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs.reading import read_metrics
from tests.browsing import FAULTS, browser_tests, no_fault, opened, serious, settled, until

pytestmark = browser_tests


def test_fork_at_a_step_and_see_who_makes_the_cka(
    server: str, home: Path, transfer_document: dict[str, Any], browser: Any
) -> None:
    asked = transfer_document | {"title": "the parent", "baseline": False}
    run = runs.RunStore().create(load_spec(asked), state="running", device="cpu")
    perform(run.id, device="cpu")
    with opened(browser) as page:
        page.goto(f"{server}/live?run={run.id}&step=10")
        told = page.locator(".told")
        told.wait_for(timeout=60_000)
        settled(page)
        rows = read_metrics(run.directory).query("type == 'snapshot'").set_index("step")
        assert f"step 10: CKA {rows.cka[10]:.3f} is the mean" in told.inner_text()
        assert page.locator(".ranks li").count() == 24

        # Who made it change, in one class; the class is pressed once more to see all.
        page.get_by_label("Compared with").select_option("before")
        change = rows.cka[10] - rows.cka[0]
        assert f"CKA {change:+.3f}".replace("-", "−") in told.inner_text()
        page.locator(".classes [data-label='3']").click()
        assert set(page.locator(".ranks li span").all_inner_texts()) == {"3"}
        page.get_by_role("button", name="All classes").click()
        assert len(set(page.locator(".ranks li span").all_inner_texts())) > 1
        page.get_by_role("button", name="Agreement").click()
        assert "agreement" in told.inner_text()
        assert serious(page, FAULTS) == []

        page.locator("details").filter(has=page.get_by_text("Every image at every step")).locator("summary").click()
        downloads: list[Any] = []
        page.on("download", lambda each: downloads.append(each))  # noqa: PLW0108 - a built-in can't listen
        # A page that is just drawn anew, while layouts are made, may lose a press.
        press = page.get_by_role("button", name="Every image at every step, as CSV")
        until(lambda: downloads or press.click() or page.wait_for_timeout(3000) or downloads)
        table = pd.read_csv(io.BytesIO(Path(downloads[0].path()).read_bytes()))
        for step, cka in rows.cka.items():
            assert table[table.step == step].share.sum() == pytest.approx(cka, abs=1e-6)

        page.get_by_role("button", name="Fork at step 10").click()
        page.get_by_role("spinbutton", name="Epochs in all").fill("3")
        page.keyboard.press("Enter")
        page.get_by_text("instead of 0.025").wait_for(timeout=30_000)
        page.get_by_role("button", name="Fork and go on").click()
        page.get_by_text("from there with epochs 3 in place of 2").wait_for(timeout=30_000)
        [forked] = [each for each in runs.RunStore().list() if each.id != run.id]
        assert forked.id in page.url and forked.title == "the parent, forked at step 10"
        until(lambda: runs.RunStore().get(forked.id).state == "done")
        page.locator(".chart").get_by_text("forked here").first.wait_for(timeout=30_000)
        settled(page)
        page.get_by_role("link", name="See where it comes from").wait_for()
        page.set_viewport_size({"width": 390, "height": 900})
        settled(page)
        no_fault(page)
