"""Our own components by themselves in a real browser, without a server: what they keep, and what they let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.backend import data
from app.components import live_chart
from tests import synthetic
from tests.browsing import browser_tests, opened
from tests.pages import components, show

pytestmark = browser_tests

SCRIPTS = {
    "bird_gram_player": ("theme.js", "sketch.js", "saving.js", "saved_grams.js", "gram_player.js"),
    "bird_embedding_player": (
        *("theme.js", "sketch.js", "saving.js", "pictures.js"),
        *("scatter.js", "saved_clouds.js", "embedding_player.js"),
    ),
}
DRAWN = """() => [...document.querySelectorAll('figure > canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => (sum * 31 + value * (at % 7 + 1)) % 1000003, 0);
})"""
"""For each canvas a number that stands for its picture."""


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def load(page: Any, name: str) -> None:
    """A page that holds nothing but the component."""
    page.emulate_media(reduced_motion="reduce")
    page.set_content('<div id="host"><section class="player"></section></div>')
    code = "\n".join((live_chart.BROWSER / script).read_text("utf-8") for script in SCRIPTS[name])
    page.evaluate(
        """async (code) => {
            const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
            const { default: call } = await import(url);
            window.sent = [];
            window.give = (data) => call({
                data, parentElement: document.getElementById('host'), setStateValue: (_, value) => sent.push(value),
            });
        }""",
        code,
    )


def give(page: Any, payload: dict[str, Any]) -> list[int]:
    """Hand the component its data, as Streamlit does, and return what it has drawn."""
    page.evaluate("(data) => { give(data); }", payload)
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)))")
    found: list[int] = page.evaluate(DRAWN)
    return found


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_another_run_begins_with_nothing_of_the_last(home: Path, browser: Any, name: str) -> None:
    first, second = (synthetic.write_transfer("done", seed=seed) for seed in (0, 1))
    payloads = [components(show("live", run=run.id))[name] for run in (first, second)]
    with opened(browser) as page:
        load(page, name)
        fresh = give(page, payloads[1])
        assert give(page, payloads[0]) != fresh
        page.get_by_role("button", name="Fine-tuning").click()
        page.get_by_role("slider").fill("1")
        page.get_by_role("button", name="Play").click()
        assert give(page, payloads[1]) == fresh, "pictures, arm, step or a playing timer are those of the last run"
        page.wait_for_timeout(1200)
        assert page.evaluate(DRAWN) == fresh


def test_all_matrices_are_of_one_scale_when_an_arm_arrives(home: Path, browser: Any) -> None:
    name = "bird_gram_player"
    running = components(show("live", run=synthetic.write_transfer("running", fraction=0.4).id))[name]
    both = components(show("live", run=synthetic.write_transfer("done").id))[name] | {"run": running["run"]}
    assert [len(payload["arms"]) for payload in (running, both)] == [1, 2]
    assert running["revision"] != both["revision"]
    with opened(browser) as page:
        load(page, name)
        fresh = give(page, both)
        load(page, name)
        give(page, running)
        assert give(page, both) == fresh
