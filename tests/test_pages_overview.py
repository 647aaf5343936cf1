"""The overview in every state, and the headline of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backend import data
from app.findings.headline import headline
from bird_backend import settings
from bird_backend.experiments import load_spec
from bird_backend.runs.store import RunStore
from tests import synthetic
from tests.pages import show, words
from tests.weights import assets_without_weights, write_demo_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def test_overview_of_an_empty_home_offers_the_demo_first() -> None:
    app = show("overview")
    assert app.title[0].value == "What is moving here?"
    button = app.button("run_demo")
    assert button.label == "Run the demo transfer"
    assert button.proto.type == "primary"
    assert "What you will see" in words(app)


def test_pressing_the_demo_button_queues_the_demo_once() -> None:
    write_demo_weights()
    app = show("overview")
    app.button("run_demo").click()
    app.run()
    runs = RunStore().list()
    assert [run.spec for run in runs] == [load_spec(data.demo_document())]
    back = show("overview")
    assert back.button("run_demo").label == "Watch the demo that is running"
    back.button("run_demo").click()
    back.run()
    assert len(RunStore().list()) == 1


def test_overview_says_what_came_of_each_run() -> None:
    done = synthetic.write_transfer("done", title="A done one")
    synthetic.write_transfer("failed", fraction=0.3, reason="The loss is not a number after step 31.")
    synthetic.write_transfer("running", fraction=0.4)
    text = words(show("overview"))
    assert headline(done).figure in text.replace("\\", "")
    assert "beyond noise" in text or "within noise" in text
    assert "The loss is not a number after step 31" in text
    assert "Recent runs" in text


def test_a_home_that_can_not_be_written_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "file"))
    assert any("BIRD_HOME" in error.value for error in show("overview").error)


def test_headline_compares_with_fine_tuning_and_states_its_interval() -> None:
    found = headline(synthetic.write_transfer("done"))
    assert found.gap is not None
    assert found.gap.half > 0
    assert "fine-tuning" in found.words
    assert "500" in found.detail
    assert headline(synthetic.write_transfer("running", fraction=0.2)) is None
    alone = headline(synthetic.write_transfer("done", baseline=False))
    assert "over before" in alone.words
