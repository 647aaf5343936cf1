"""Pages for those who see little, use no mouse, have a small window or no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.backend import data
from tests import synthetic
from tests.browsing import browser_tests, look_closely, opened, settled, until

pytestmark = browser_tests

UNSEEN = """() => {
    // Whatever has the focus, in our components too; a wrapper may show it for its hidden field.
    let here = document.activeElement;
    while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
    if (!here || here === document.body) return null;
    const shows = (node) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none';
    };
    const around = [];
    for (let node = here; node && around.length < 5; node = node.parentElement) around.push(node);
    return around.some(shows) || here.tagName === 'CANVAS' && here.dataset.testid === 'data-grid-canvas'
        ? '' : here.outerHTML.slice(0, 160);
}"""
"""Null at the end of the page, "" where the focus shows, else what hides it."""


ALL_DRAWN = "() => [...document.querySelectorAll('.chart')].every((host) => host.dataset.drawn)"
NAMES = "() => [...document.querySelectorAll('[aria-label]')].map((node) => node.getAttribute('aria-label'))"


@pytest.fixture
def full(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home where every page has something to show; paths by page. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    synthetic.write_gallery(data.gallery(data="fashion-mnist-small")[0])
    study = synthetic.write_study(seeds=2)
    failed = synthetic.write_transfer("failed", fraction=0.6, reason="The loss is not a number.", seed=3)
    (failed.directory.path / "log.txt").write_text("Training\n" * 90, "utf-8")
    done = synthetic.write_transfer("done")
    return {
        "overview": "",
        "launch": "launch",
        "live": f"live?run={done.id}",
        "failed": f"live?run={failed.id}",
        "compare": f"compare?study={study.id}",
        "runs": f"compare?runs={done.id},{failed.id}",
        "embeddings": f"embeddings?run={done.id}",
        "robustness": f"robustness?run={done.id}",
        "gallery": "gallery",
        "models": "models",
    }


def test_every_full_page_is_accessible_and_sends_nothing_elsewhere(
    full: dict[str, str], server: str, browser: Any
) -> None:
    with opened(browser) as page:
        elsewhere: list[str] = []
        page.on("request", lambda asked: elsewhere.append(asked.url) if not _own(asked.url, server) else None)
        page.on("websocket", lambda opened: elsewhere.append(opened.url) if not _own(opened.url, server) else None)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if "font weight" in said.text.lower() else None)
        for name, path in full.items():
            page.goto(f"{server}/{path}")
            settled(page)
            until(lambda: page.evaluate(ALL_DRAWN))
            look_closely(page, name)
            # Nothing of Plotly's own, which offers to upload a chart.
            assert page.locator(".modebar-btn").count() == 0, name
        assert elsewhere == []
        assert complaints == []


def test_a_page_is_settled_only_when_its_script_has_ended_and_nothing_is_pale(browser: Any) -> None:
    """Streamlit shows that it works half a second late; what it has not drawn again yet is pale meanwhile."""
    with opened(browser) as page:
        page.set_content(
            """<div data-testid="stApp" data-test-script-state="running"><h1>Title</h1><p data-stale="true">Words</p>
            <style>p[data-stale] { transition: opacity 0.4s } p[data-stale="true"] { opacity: 0.3 }</style></div>
            <script>
            setTimeout(() => { document.querySelector('div').dataset.testScriptState = 'notRunning' }, 500);
            setTimeout(() => { document.querySelector('p').dataset.stale = 'false' }, 900);
            </script>"""
        )
        settled(page)
        assert page.evaluate("document.querySelector('div').dataset.testScriptState") == "notRunning"
        assert page.evaluate("getComputedStyle(document.querySelector('p')).opacity") == "1"


def _own(url: str, server: str) -> bool:
    found = urlsplit(url)
    return found.scheme in ("data", "blob", "about") or found.netloc == urlsplit(server).netloc


def test_a_page_can_tell_nobody_else_anything(server: str, browser: Any) -> None:
    """Whatever a script in it tries: the policy that comes with the page forbids it."""
    with opened(browser) as page:
        page.goto(server)
        settled(page)
        tries = page.evaluate(
            """async () => {
                const elsewhere = 'http://127.0.0.1:9/';
                const forbidden = [];
                const note = (event) => forbidden.push(event.effectiveDirective);
                document.addEventListener('securitypolicyviolation', note);
                await fetch(elsewhere, { method: 'POST', body: 'figures' }).catch(() => null);
                navigator.sendBeacon(elsewhere, 'figures');
                new Image().src = elsewhere;
                const form = document.createElement('form');
                Object.assign(form, { action: elsewhere, method: 'post' });
                document.body.append(form);
                form.submit();
                await new Promise((resolve) => setTimeout(resolve, 500));
                return forbidden;
            }"""
        )
        assert sorted(tries) == ["connect-src", "connect-src", "form-action", "img-src"]


@pytest.mark.parametrize("name", ["live", "robustness", "gallery", "compare"])
def test_the_focus_is_seen_wherever_it_goes(full: dict[str, str], server: str, browser: Any, name: str) -> None:
    with opened(browser) as page:
        page.goto(f"{server}/{full[name]}")
        settled(page)
        hidden: list[str] = []
        for _ in range(120):
            page.keyboard.press("Tab")
            unseen = page.evaluate(UNSEEN)
            if unseen is None:
                break
            if unseen:
                hidden.append(unseen)
        assert hidden == []


def test_what_moves_is_above_the_fold_of_a_projector(home: Path, request: Any, browser: Any) -> None:
    """At 150 % zoom a window of 1280 × 900 has 853 × 600 pixels."""
    run = synthetic.write_transfer("running", fraction=0.7)
    server: str = request.getfixturevalue("server")
    with opened(browser, width=853, height=600) as page:
        page.goto(f"{server}/live?run={run.id}")
        chart = page.locator(".chart").first
        chart.wait_for(timeout=60_000)
        settled(page)
        box = chart.bounding_box()
        assert box is not None
        assert box["y"] < 400, "the moving chart begins below the fold"


def test_the_scale_of_the_difference_is_seen_on_a_phone(full: dict[str, str], server: str, browser: Any) -> None:
    with opened(browser, width=390, height=800) as page:
        page.goto(f"{server}/{full['live']}")
        bars = page.locator(".scale i")
        until(lambda: bars.count() == 3, seconds=60)
        assert all(bar.bounding_box()["width"] > 100 for bar in bars.all())


def test_a_wide_table_says_that_it_scrolls(full: dict[str, str], server: str, browser: Any) -> None:
    with opened(browser, width=390, height=800) as page:
        page.goto(f"{server}/{full['compare']}")
        table = page.get_by_role("region", name="Figures of each variant")
        table.wait_for(timeout=60_000)
        assert table.evaluate("(node) => node.scrollWidth > node.clientWidth + 10")
        assert "gradient" in table.evaluate("(node) => getComputedStyle(node).backgroundImage")
        table.focus()
        page.keyboard.press("ArrowRight")
        until(lambda: table.evaluate("(node) => node.scrollLeft") > 0, seconds=10)


def test_lists_are_called_by_plain_words(full: dict[str, str], server: str, browser: Any) -> None:
    with opened(browser) as page:
        page.goto(f"{server}/launch")
        settled(page)
        names = page.evaluate(NAMES)
        assert any("Guiding layer" in name for name in names)
        assert not [name for name in names if ":orange[" in name or ":blue[" in name]
