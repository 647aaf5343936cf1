"""A corruption is one folder: put there, it is found wherever corruptions are named."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bird_backend import corruptions
from bird_backend.cli import main
from bird_backend.corruptions import CORRUPTIONS

FACE = """
from bird_backend.corruptions.declaration import Corruption, rows
from bird_backend.corruptions.sources import Source
DECLARES = Corruption(
    name="negative", place=99, title="Negative", caption="Towards its negative.", family="digital", module=__name__,
    constants={Source(title="ours", script="", made_for=8, least=1, most=8): rows("share", 0.2, 0.4, 0.6, 0.8, 1.0)},
)
"""
BODY = """
def negative(images, _generator, *, share):
    return images + share * (1 - 2 * images)
"""


@pytest.fixture
def negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "toys" / "negative"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FACE)
    (folder / "apply.py").write_text(BODY)
    monkeypatch.setattr(corruptions, "__path__", [*corruptions.__path__, str(folder.parent)])
    CORRUPTIONS.forget()
    yield "negative"
    monkeypatch.undo()
    CORRUPTIONS.forget()
    for name in [name for name in sys.modules if name.startswith("bird_backend.corruptions.negative")]:
        del sys.modules[name]


def test_the_command_line_lists_and_applies_it(
    negative: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "corruptions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[-1]["name"] == negative
    images = np.full((2, 8, 8, 3), 55, dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    command = ["corrupt", str(tmp_path / "images.npy"), str(tmp_path / "out"), "--corruptions", negative, "--json"]
    assert main([*command, "--device", "cpu"]) == 0
    capsys.readouterr()
    written = np.load(tmp_path / "out" / "negative.npy")
    assert (written[-2:] == 200).all()
