"""The scrubber and what follows it, by themselves in a real browser, without a server: what they keep, and let go."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.backend import data
from app.components import live_chart
from app.components.players import CLOUD_SCRIPTS, GRAM_SCRIPTS
from app.components.scrubber import SCRIPTS
from tests import synthetic
from tests.browsing import browser_tests, opened
from tests.pages import components, show

pytestmark = browser_tests

PARTS = {"bird_scrubber": SCRIPTS, "bird_gram_player": GRAM_SCRIPTS, "bird_embedding_player": CLOUD_SCRIPTS}
DRAWN = """() => [...document.querySelectorAll('figure > canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => (sum * 31 + value * (at % 7 + 1)) % 1000003, 0);
})"""
"""For each canvas a number that stands for its picture: three Gram matrices, then teacher's and student's cloud."""
RESTS = """() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 0)));
})"""


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def load(page: Any) -> None:
    """A page that holds nothing but the components."""
    page.emulate_media(reduced_motion="reduce")
    page.set_content("".join(f'<div id="{name}"><section class="player"></section></div>' for name in PARTS))
    for name, scripts in PARTS.items():
        code = "\n".join((live_chart.BROWSER / script).read_text("utf-8") for script in scripts)
        page.evaluate(
            """async ([name, code]) => {
                const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
                const { default: call } = await import(url);
                const parentElement = document.getElementById(name);
                window.sent ??= {};
                window.give ??= {};
                window.give[name] = (data) =>
                    call({ data, parentElement, setStateValue: (_, value) => (window.sent[name] = value) });
            }""",
            [name, code],
        )


def give(page: Any, payloads: dict[str, Any]) -> list[int]:
    """Hand the components their data, as Streamlit does, and return what they have drawn."""
    page.evaluate("(all) => { for (const name in give) give[name](all[name]); }", payloads)
    page.evaluate(RESTS)
    return drawn(page)


def drawn(page: Any) -> list[int]:
    found: list[int] = page.evaluate(DRAWN)
    return found


def payloads_of(run: data.Run, **query: str) -> dict[str, Any]:
    shown = components(show("live", run=run.id, **query))
    return {name: shown[name] for name in PARTS}


def where(page: Any) -> str:
    page.evaluate(RESTS)
    return str(page.locator("output").inner_text())


def test_another_run_begins_with_nothing_of_the_last(home: Path, browser: Any) -> None:
    first, second = (payloads_of(synthetic.write_transfer("done", seed=seed)) for seed in (0, 1))
    with opened(browser) as page:
        load(page)
        fresh = give(page, second)
        assert give(page, first) != fresh
        page.get_by_role("button", name="Fine-tuning").click()
        page.get_by_role("slider").fill("1")
        page.get_by_role("button", name="Play").click()
        assert give(page, second) == fresh, "pictures, arm, step or a playing clock are those of the last run"
        page.wait_for_timeout(1200)
        assert drawn(page) == fresh


def test_all_matrices_are_of_one_scale_when_an_arm_arrives(home: Path, browser: Any) -> None:
    running = payloads_of(synthetic.write_transfer("running", fraction=0.4))
    both = payloads_of(synthetic.write_transfer("done"))
    name = "bird_gram_player"
    for payload in both.values():
        payload |= {"clock": running[name]["clock"], "run": running[name]["run"]}
    assert [len(payloads[name]["arms"]) for payloads in (running, both)] == [1, 2]
    assert running[name]["revision"] != both[name]["revision"]
    with opened(browser) as page:
        load(page)
        fresh = give(page, both)
        load(page)
        give(page, running)
        assert give(page, both) == fresh


def test_one_slider_moves_everything_and_keeps_its_place_as_snapshots_arrive(home: Path, browser: Any) -> None:
    whole = payloads_of(synthetic.write_transfer("done"))
    at_48 = payloads_of(data.get_run(whole["bird_scrubber"]["clock"]), step="48")
    fewer = copy.deepcopy(whole)
    fewer["bird_scrubber"] |= {"active": True}
    track = fewer["bird_scrubber"]["tracks"][1]
    track["steps"], track["words"] = track["steps"][:6], track["words"][:6]
    for name in ("bird_gram_player", "bird_embedding_player"):
        del fewer[name]["arms"][1]["snapshots"][6:]
    steps = whole["bird_scrubber"]["tracks"][1]["steps"]
    with opened(browser) as page:
        load(page)
        early = give(page, at_48)
        load(page)
        last = give(page, fewer)
        slider = page.get_by_role("slider")
        assert where(page).startswith(f"step {steps[5]} · CKA ")
        assert slider.get_attribute("aria-valuetext") == where(page)

        # At the end it goes along with what arrives; elsewhere it stays.
        assert give(page, whole) != last
        assert where(page).startswith("step 240 ")
        give(page, fewer)
        slider.fill("2")
        page.evaluate(RESTS)
        assert drawn(page) == early, "matrices and clouds stand at the slider's step as if opened there"
        assert [one != other for one, other in zip(early, last, strict=True)] == [False, True, True, False, True]
        assert page.evaluate("sent.bird_scrubber") == {"arm": None, "step": 48}
        assert give(page, whole) == early
        assert where(page).startswith("step 48 ")

        # By keys: one on, ten per cent on, back, first, last; a space plays from the beginning and comes to its end.
        slider.focus()
        for key, step in (("ArrowRight", 72), ("PageUp", 96), ("ArrowLeft", 72), ("Home", 0), ("End", 240)):
            page.keyboard.press(key)
            assert where(page).startswith(f"step {step} "), key
        assert page.evaluate("sent.bird_scrubber") == {"arm": None, "step": None}
        page.keyboard.press("Space")
        page.wait_for_function("() => !document.querySelector('output').textContent.startsWith('step 240 ')")
        page.get_by_role("button", name="Pause").wait_for()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Play").wait_for()
        assert page.get_by_role("status").first.inner_text() == where(page)

        # With motion allowed, points lie between two snapshots while a hand is between them, and come to rest at one.
        page.emulate_media(reduced_motion="no-preference")
        slider.evaluate("(node) => { node.value = 2.5; node.dispatchEvent(new Event('input')); }")
        page.evaluate(RESTS)
        between = drawn(page)
        assert between[4] not in (early[4], last[4])
        slider.evaluate("(node) => { node.value = 2.1; node.dispatchEvent(new Event('change')); }")
        page.wait_for_function("() => document.querySelector('[type=range]').value === '2'")
        page.evaluate(RESTS)
        assert drawn(page) == early


def test_a_lasso_dims_the_rest_and_takes_its_images_along(home: Path, browser: Any) -> None:
    run = synthetic.write_transfer("done")
    payloads = payloads_of(run)
    cloud = "bird_embedding_player"
    points = unpacked(payloads[cloud]["arms"][1]["snapshots"][-1]["points"])
    right = {index for index, (x, _) in enumerate(points) if x > 0.5}
    labels = payloads[cloud]["labels"]
    assert 0 < len(right) < len(labels)
    with opened(browser) as page:
        load(page)
        fresh = give(page, payloads)
        page.get_by_role("button", name="Box").click()
        student = page.locator("figure > canvas").nth(4)
        student.scroll_into_view_if_needed()
        box = student.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2 + 0.01, box["y"] + 1)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1, steps=3)
        page.mouse.up()
        page.get_by_text(f"{len(right)} of {len(labels)} images").wait_for()
        page.evaluate(RESTS)
        dimmed = drawn(page)
        assert [one != other for one, other in zip(dimmed[3:], fresh[3:], strict=True)] == [True, True]
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Save as CSV").click()
        table = pd.read_csv(waiting.value.path())
        assert set(table["image"] - 1) == right
        assert table["class"].tolist() == [payloads[cloud]["classes"][labels[image - 1]] for image in table["image"]]
        first = unpacked(payloads[cloud]["arms"][1]["snapshots"][0]["points"])
        aspect = payloads[cloud]["aspect"]
        moved = np.hypot(*((points - first) * (1, aspect)).T)[table["image"] - 1]
        np.testing.assert_allclose(table["moved"], moved, atol=1e-4)
        kept = np.load(run.directory.artifacts / f"snapshot-bird-{synthetic.STEPS:06d}.npz")["share"]
        low, high = payloads[cloud]["share_range"]
        shares = kept[table["image"] - 1].clip(low, high)
        np.testing.assert_allclose(table["cka_share"], shares, atol=(high - low) / 400)

        # What was selected, and the colours, are opened again by what the address keeps of them.
        page.get_by_role("button", name="CKA share").click()
        sent = page.evaluate("sent.bird_embedding_player")
        assert sent["colour"] == "share"
        page.evaluate(RESTS)
        shaded = drawn(page)
        load(page)
        opened_again = payloads_of(run, select=sent["selection"], colour="share")
        assert give(page, opened_again)[3:] == shaded[3:]
        page.get_by_role("button", name="Clear").click()
        page.get_by_role("button", name="Class").click()
        page.evaluate(RESTS)
        assert drawn(page) == fresh
        page.get_by_role("button", name="Trails").click()
        page.evaluate(RESTS)
        assert [one != other for one, other in zip(drawn(page)[3:], fresh[3:], strict=True)] == [False, True]


def unpacked(packed: str) -> np.ndarray:
    """Points [N, 2] in shares of the map, y upwards."""
    return np.frombuffer(base64.b64decode(packed), "<u2").reshape(-1, 2) / 65535
