"""Every figure is saved in a real browser as PNG and SVG, on a ground, under a name that says what it is of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from app.backend import data
from bird_backend.experiments import AnalyzeSpec
from bird_backend.specs import ModelRef
from tests import synthetic
from tests.browsing import browser_tests, opened, settled, until

pytestmark = browser_tests


@pytest.fixture
def drawn(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """A home with a measured transfer, a gallery and the demo's layer map; their ids. Ask for it before the server."""
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    gallery = data.gallery(data="fashion-mnist-small")[0]
    synthetic.write_gallery(gallery)
    demo = data.demo_document()
    teacher, student = (ModelRef.model_validate(demo[role]) for role in ("teacher", "student"))
    layers, _ = data.layer_map(AnalyzeSpec(data=demo["data"], teacher=teacher, student=student))
    return synthetic.write_transfer("done").id, gallery.id, synthetic.write_layer_map(layers).id


def saved(page: Any, button: Any) -> tuple[str, bytes]:
    """What a press on a button saves: the file's name and content."""
    with page.expect_download(timeout=30_000) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def check_png(content: bytes, ground: tuple[int, int, int]) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
    assert (pixels[..., 3] == 255).all(), "a figure without a ground is black on black somewhere"
    assert tuple(pixels[2, 2, :3]) == ground
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 20, "nothing is drawn"
    assert pixels.shape[1] >= 900, "too coarse for a paper"


def check_svg(content: bytes, of: str) -> None:
    root = ElementTree.fromstring(content)  # noqa: S314 - the page's own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = content.decode()
    assert of in text
    text = text.replace("http://www.w3.org", "")
    assert "http" not in text, "a saved figure asks the network for something"


@pytest.mark.parametrize(("scheme", "ground"), [("light", (252, 252, 250)), ("dark", (18, 22, 26))])
def test_every_figure_is_saved(
    drawn: tuple[str, str, str], server: str, browser: Any, scheme: str, ground: tuple[int, int, int]
) -> None:
    run, gallery, layers = drawn
    found: dict[str, int] = {}
    with opened(browser, scheme=scheme) as page:
        everywhere = [(f"live?run={run}", run, 8), (f"embeddings?run={run}", run, 1), ("gallery", gallery, 1)]
        everywhere.append(("launch", layers, 1))
        for path, of, count in [
            (f"robustness?run={run}&cell=brightness.3", run, 4),
            *(everywhere if scheme == "light" else []),
        ]:
            page.goto(f"{server}/{path}")
            buttons = page.get_by_role("button", name="Save as PNG")
            until(lambda buttons=buttons, count=count: buttons.count() == count, seconds=60)
            until(
                lambda: page.evaluate(
                    "() => [...document.querySelectorAll('.chart')].every((host) => host.dataset.drawn)"
                )
            )
            settled(page)
            for place in range(count):
                name, content = saved(page, buttons.nth(place))
                assert name.startswith(of)
                assert name.endswith(".png")
                check_png(content, ground)
                found[name] = len(content)
                if scheme == "light":  # a dark one is written by the same hand, and its ground is seen above
                    vector, content = saved(page, page.get_by_role("button", name="Save as SVG").nth(place))
                    assert vector == name.replace(".png", ".svg")
                    check_svg(content, of)
    assert len(found) == (14 if scheme == "light" else 4), f"names must tell figures apart: {sorted(found)}"
