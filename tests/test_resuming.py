"""A run that dies anywhere and goes on ends with the rows, and the weights, of one that was never interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from bird_backend.experiments import load_spec
from bird_backend.experiments.execute import execute
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import read_metrics
from bird_backend.runs.writing import RunWriter

STEPS = 10
"""Of each arm: one epoch of digits in batches of 128. A checkpoint after 4, 8 and 10."""


class Killed(BaseException):
    """The process is gone: nothing is tidied up."""


class Doomed(RunWriter):
    """Dies just after it has written the rows up to a step of an arm."""

    def __init__(self, directory: RunDirectory, arm: str, step: int) -> None:
        super().__init__(directory)
        self._at = (arm, step)

    def append(self, rows: list[dict[str, Any]]) -> None:
        super().append(rows)
        if any((row["arm"], row["step"]) == self._at and row["type"] == "step" for row in rows):
            raise Killed


@pytest.fixture(autouse=True)
def _read_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are fetched at each step, so that a death falls between two of them."""
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)


@pytest.fixture
def document(transfer_document: dict[str, Any]) -> dict[str, Any]:
    transfer_document["training"] |= {"epochs": 1, "checkpoint_every": 4}
    transfer_document["snapshots"] = {"count": 3, "gram_images": 16, "embedding_images": 32}
    return transfer_document


def begin(folder: Path, document: dict[str, Any]) -> RunDirectory:
    directory = RunDirectory(folder)
    directory.create(document)
    return directory


def rows_of(directory: RunDirectory) -> pd.DataFrame:
    """Every row but for what a clock said."""
    metrics = read_metrics(directory)
    return metrics.drop(columns=["t", "images_per_s"])


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {}


def run_unbroken(kept: dict[str, Any], tmp_path: Path, document: dict[str, Any]) -> RunDirectory:
    """Done once for all deaths."""
    if not kept:
        kept["directory"] = begin(tmp_path / "unbroken", document)
        execute(load_spec(document), RunWriter(kept["directory"]), device="cpu")
    directory: RunDirectory = kept["directory"]
    return directory


@pytest.mark.parametrize(
    ("arm", "step"),
    [("bird", 2), ("bird", 6), ("bird", STEPS), ("fine-tuning", 2), ("fine-tuning", 6), ("fine-tuning", STEPS)],
)
def test_a_death_leaves_no_trace(
    arm: str, step: int, document: dict[str, Any], tmp_path: Path, unbroken: dict[str, Any]
) -> None:
    whole = run_unbroken(unbroken, tmp_path, document)
    directory, spec = begin(tmp_path / "broken", document), load_spec(document)
    with pytest.raises(Killed):
        execute(spec, Doomed(directory, arm, step), device="cpu")
    execute(spec, RunWriter(directory), device="cpu")
    pd.testing.assert_frame_equal(rows_of(directory), rows_of(whole))
    assert len(rows_of(whole).query("type == 'step'")) == 2 * STEPS
    for name in ("student-bird.safetensors", "student-fine-tuning.safetensors"):
        ours, theirs = (load_file(each.artifacts / name) for each in (directory, whole))
        for key, tensor in theirs.items():
            np.testing.assert_array_equal(ours[key], tensor, err_msg=key)


def test_two_deaths_and_half_a_row(document: dict[str, Any], tmp_path: Path, unbroken: dict[str, Any]) -> None:
    whole = run_unbroken(unbroken, tmp_path, document)
    directory, spec = begin(tmp_path / "broken", document), load_spec(document)
    for arm, step in (("bird", 2), ("fine-tuning", 6)):
        with pytest.raises(Killed):
            execute(spec, Doomed(directory, arm, step), device="cpu")
        with directory.metrics.open("ab") as file:
            file.write(b'{"type": "st')
    execute(spec, RunWriter(directory), device="cpu")
    pd.testing.assert_frame_equal(rows_of(directory), rows_of(whole))
