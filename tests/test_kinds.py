"""A kind of run is declared in one folder: the specs, the command line, the queue and the pages find it there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bird_backend import experiments
from bird_backend.cli import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import KINDS, load_spec
from bird_backend.runs.store import RunStore
from tests.conftest import write_spec
from tests.pages import show, words

TOY = '''
"""Counts what it is told to."""

from typing import Literal

from pydantic import Field

from bird_backend.experiments.declaration import Kind, Report, RunSpec


class CountSpec(RunSpec):
    kind: Literal["count"] = "count"
    upto: int = Field(default=3, ge=1)


def _execute(spec, work):
    work.writer.begin("Counting", 0.98)
    return {"counted": spec.upto}


DECLARES = Kind(
    name="count",
    place=99,
    label="Counting",
    spec=CountSpec,
    title=lambda spec: f"Count to {spec.upto}",
    report=lambda summary: Report(header=("counted",), rows=((str(summary["counted"]),),), lines=("It counted.",)),
    execute=_execute,
)
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more folder among the kinds of run."""
    folder = tmp_path / "more" / "count"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(TOY)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path / "more")])
    KINDS.forget()
    yield
    KINDS.forget()


@pytest.mark.usefixtures("toy")
def test_one_folder_is_a_kind_of_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.backend.data.ensure_worker", lambda **_: None)
    spec = write_spec(tmp_path, {"kind": "count"})
    assert main(["run", str(spec), "--set", "upto=7"]) == 0
    said = capsys.readouterr().out
    assert "7" in said
    assert "It counted." in said
    assert main(["list", "kinds", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert "upto" in listed["count"]["fields"]

    (run,) = RunStore().list()
    assert (run.kind, run.title, run.state) == ("count", "Count to 7", "done")
    assert "Counting" in words(show("overview"))
    page = show("live", run=run.id)
    assert "It counted." in words(page)
    assert page.dataframe[0].value["counted"].tolist() == ["7"]


@pytest.mark.usefixtures("toy")
def test_its_spec_is_checked_as_any_other() -> None:
    with pytest.raises(InputError, match="upto: input should be greater than or equal to 1"):
        load_spec({"kind": "count", "upto": 0})
    with pytest.raises(UnknownNameError, match="did you mean count"):
        load_spec({"kind": "coumt"})
