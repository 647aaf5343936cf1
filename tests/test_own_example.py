"""The example of one's own: its images, its network and its loop do what their first lines say, on a few images."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch

from bird_backend import runs, settings
from bird_backend.runs.reading import read_metrics, read_predictions
from bird_backend.runs.store import RunStore

OWN = settings.ASSETS / "examples" / "own"


def run_script(name: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(OWN))
    monkeypatch.delitem(sys.modules, "network", raising=False)
    runpy.run_path(str(OWN / name), run_name="__main__")


def test_its_loop_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "shapes"
    run_script("make_images.py", str(images), "--count", "30", monkeypatch=monkeypatch)
    assert {folder.name: len(list(folder.iterdir())) for folder in images.iterdir()} == dict.fromkeys(
        ("cross", "disc", "square", "triangle"), 30
    )
    run_script("train.py", str(images), "--epochs", "2", monkeypatch=monkeypatch)
    assert "test images right" in capsys.readouterr().out
    (run,) = RunStore().list()
    assert (run.kind, run.state, run.title) == ("record", "done", "Shapes, beta 0.5")
    rows = read_metrics(run.directory)
    assert rows["type"].value_counts().to_dict() == {"snapshot": 3, "step": 2, "epoch": 2}
    assert len(runs.snapshots(run.directory)) == 4
    predictions = read_predictions(run.directory)
    assert predictions is not None and predictions.n == 24


def test_its_network_is_of_any_size_and_short_enough_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    build = runpy.run_path(str(OWN / "network.py"))["build"]
    for size in (16, 40):
        assert build(classes=5)(torch.zeros(2, 3, size, size)).shape == (2, 5)
    assert len((OWN / "network.py").read_text("utf-8").splitlines()) <= 65
