"""A figure is one place: declared in one file, it is in summaries, on pages, in studies and on the command line."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.backend import data
from bird_backend.cli.main import main
from bird_backend.experiments import load_spec
from bird_backend.experiments.execute import execute
from bird_backend.measures import figures
from bird_backend.measures.figures import FIGURES, columns, read_figure
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import RunWriter
from bird_backend.studies import results
from tests import synthetic
from tests.pages import show, words
from tests.study_runs import COUNTS, finished, plan_of

TOY = '''
"""The share of images that a network calls the first class."""
from bird_backend.measures import over_images
from bird_backend.measures.figures import SHARE, Figure

DECLARES = Figure(
    name="toy", place=99, title="Toy", explained="how often it says the first class.", unit=SHARE, rises=False,
    in_run=lambda run: over_images((run.predictions.predicted[run.model] == 0).mean(axis=0)),
)
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "toy_figure.py").write_text(TOY)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(folder)])
    FIGURES.forget()
    yield "toy"
    monkeypatch.undo()
    FIGURES.forget()
    del sys.modules["bird_backend.measures.figures.toy_figure"]


def by_hand(run: Any, model: str) -> float:
    arrays = np.load(run.directory.artifacts / "predictions.npz")
    return float((arrays[f"predicted {model}"] == 0).mean())


def test_a_run_keeps_and_reports_it(
    toy: str, transfer_document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunStore().create(load_spec(transfer_document), state="running")
    summary = execute(run.spec, RunWriter(run.directory))
    RunStore().finish(run.id, "done", summary=summary)
    found = read_figure(summary, "bird", toy)
    assert found is not None
    assert found.value == pytest.approx(by_hand(run, "bird"))
    assert main(["status", run.id]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Toy, %")]
    assert f"{100 * found.value:.1f} (" in line


def test_pages_show_it_of_runs_that_were_done_before_it(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    run = synthetic.write_transfer("done", seed=11)
    app = show("robustness", run=run.id)
    tables = "\n".join(str(element.proto.body) for element in app.main.get("html"))
    assert "Toy ↓" in tables.replace("\u00a0", " ")
    assert f"{100 * by_hand(run, 'bird'):.1f} ±" in tables
    assert "how often it says the first class." in words(app)


@pytest.mark.usefixtures("no_worker")
def test_a_study_shows_it_and_its_command_line_names_it(toy: str, capsys: pytest.CaptureFixture[str]) -> None:
    study = finished(plan_of("fine-tuning", "bird"), COUNTS)
    table = results(study)
    bird = table.row("bird")
    expected = {seed: by_hand(RunStore().get(run), "bird") for run, seed in runs_of(study, "bird")}
    assert bird.entries[toy].by_seed == pytest.approx(expected)
    assert table.columns[-1] == toy
    assert main(["study", study.id, "--format", "csv", "--columns", "toy,robust"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(rows[2]["toy"]) == pytest.approx(float(np.mean(list(expected.values()))))
    assert [name for name in rows[0] if name in FIGURES] == ["toy", "robust"]


def runs_of(study: Any, key: str) -> list[tuple[str, int]]:
    return [(member.run, member.seed) for member in study.members if member.variant == key]


def test_every_figure_has_words_and_a_place_of_its_own() -> None:
    places = [figure.place for figure in FIGURES.values()]
    assert len(set(places)) == len(places)
    for figure in FIGURES.values():
        assert figure.title and figure.explained.endswith("."), figure.name
    assert columns("study") == (
        *("clean", "robust", "seen", "held_out", "pooled", "gain", "pgr", "cka_before", "cka_after", "seconds"),
    )
    assert columns("ablation")[:3] == ("validation_robust", "validation", "validation_best")
