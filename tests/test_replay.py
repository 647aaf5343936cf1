"""A run as one file: opened from disk in a real browser with the network cut, it scrubs as the app does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.components.replay import main as write
from bird_backend.cli import main
from tests import synthetic
from tests.browsing import PIXELS, browser_tests, opened
from tests.pages import components, show, words

pytestmark = browser_tests


def test_a_replay_opens_from_disk_without_a_network(
    home: Path, tmp_path: Path, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    title = "<b>Mine</b> & </script> more"
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only the browser tests pay for it

    run = synthetic.write_transfer("done", title=title)
    out = tmp_path / "run.html"
    assert main(["replay", run.id, str(out)]) == 0
    assert out.stat().st_size < 10 * 2**20
    asked, faults = [], []
    with opened(browser) as page:
        page.context.set_offline(True)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(out.as_uri())
        page.wait_for_function("() => document.querySelectorAll('.chart[data-drawn] .cursor').length === 2")
        assert page.get_by_role("heading", level=1).inner_text() == title
        last, cursor = page.evaluate(PIXELS, "figure > canvas"), place(page)
        page.get_by_role("slider").fill("2")
        page.get_by_text("step 48 · CKA ").wait_for()
        page.wait_for_timeout(400)
        moved = page.evaluate(PIXELS, "figure > canvas")
        assert [one != other for one, other in zip(moved, last, strict=True)] == [False, True, True, False, True]
        assert place(page) < cursor
        # As in the app: the same sentence, the same table.
        said = words(show("live", run=run.id))
        text = page.inner_text("main")
        assert "points above that of fine-tuning" in text
        assert "points** above that of fine-tuning" in said
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Save as SVG").last.click()
        assert waiting.value.suggested_filename.startswith(run.id)
        found = Axe().run(page).response["violations"]
        assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert "bird_scrubber" in components(show("live", run=run.id))

    trained = synthetic.write_trained().id
    assert write([trained, str(out)]) == 2
    assert write(["nobody", str(out)]) == 2
    errors = capsys.readouterr().err
    assert f"Run {trained} has no snapshot of a student, so there is nothing to replay." in errors
    assert "There is no run nobody." in errors


def place(page: Any) -> float:
    """How far right the first chart's cursor is."""
    found: float = page.locator(".cursor").first.bounding_box()["x"]
    return found
