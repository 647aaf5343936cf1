"""Lists that end say so, and lead to the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backend import data
from app.components import run_comparison, study_view
from app.views import overview
from bird_backend.experiments import load_spec
from bird_backend.runs.store import RunStore
from tests import synthetic
from tests.pages import again, show, words


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def transfers(count: int) -> list[data.Run]:
    return [synthetic.write_transfer("queued", seed=seed) for seed in range(count)]


def test_runs_of_other_kinds_push_none_out_of_the_picker() -> None:
    done = synthetic.write_transfer("done")
    teacher = synthetic.transfer_document()["teacher"]
    document = {"kind": "analyze", "data": "digits", "teacher": teacher, "student": teacher}
    RunStore().create_all([load_spec(document | {"seed": seed}) for seed in range(51)])
    assert show("robustness").query_params["run"] == done.id


def test_the_picker_says_how_many_older_ones_there_are_and_leads_to_them() -> None:
    transfers(52)
    app = show("live")
    picker = app.selectbox("_picked_run")
    assert picker.options[-1] == "2 older ones: see all runs"
    picker.select_index(50)
    assert again(app).title[0].value == "What was run?"


def test_compare_finds_what_its_list_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_comparison, "_LISTED", 2)
    old = synthetic.write_transfer("queued", title="The oldest")
    transfers(2)
    app = show("compare", of="runs")
    assert "The latest 2 of 3 runs." in words(app)
    assert not any("The oldest" in option for option in app.multiselect("_compared").options)
    app.text_input("_find").input("oldest")
    again(app)
    assert [old.id[-4:] in option for option in app.multiselect("_compared").options] == [True]


def test_the_overview_says_how_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_ACTIVE", 2)
    transfers(3)
    assert "The latest 2 of 3 runs that wait." in words(show("overview"))


def test_older_studies_are_listed_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_view, "_LISTED", 1)
    for seeds in (1, 2):
        synthetic.write_study(seeds=seeds, done=0)
    app = show("compare")
    assert len(app.selectbox("_study").options) == 1
    app.toggle("_all_studies").set_value(True)
    assert len(again(app).selectbox("_study").options) == 2
