"""The overview in every state, and the headline of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backend import data
from app.backend.studies import runs_of, stop_study
from app.findings.headline import headline
from bird_backend import settings
from bird_backend.experiments import load_spec
from bird_backend.runs.store import RunStore
from tests import synthetic
from tests.pages import again, show, words
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
    assert text.index("Under way") < text.index("Finished")


def test_a_study_is_one_card_with_its_progress_and_the_way_to_its_table() -> None:
    study = synthetic.write_study(seeds=2, done=0.5, running=1)
    alone = synthetic.write_transfer("done", title="One of its own")
    app = show("overview")
    text = words(app)
    assert text.index(study.title.split(":")[0]) < text.index("One of its own")
    assert "seed 0" not in text.replace(f"seed {alone.spec.seed}", "", 1)
    assert any("runs done" in bar.text for bar in app.main.get("progress"))
    assert [link.proto.query_string for link in app.main.get("page_link") if link.proto.label == "Its table"] == [
        f"study={study.id}"
    ]


def test_what_runs_stands_before_what_waits_and_that_before_what_is_finished() -> None:
    for state, title in (("running", "First one"), ("queued", "Second one"), ("done", "Third one")):
        synthetic.write_transfer(state, fraction=0.4, title=title)
    text = words(show("overview"))
    places = [text.index(title) for title in ("First one", "Second one", "Third one")]
    assert places == sorted(places)


def test_a_stopped_study_resumes_with_one_button() -> None:
    study = synthetic.write_study(seeds=1, done=0.0)
    stop_study(study.id)
    for name, query in (("overview", {}), ("compare", {"study": study.id})):
        app = show(name, **query)
        app.button(f"resume_{study.id}").click()
        again(app)
        assert {run.state for run in runs_of(study).values()} == {"queued"}
        stop_study(study.id)


def test_every_run_is_found_by_its_title_its_state_and_page_by_page() -> None:
    for number in range(22):
        synthetic.write_transfer("queued", title=f"Run number {number}")
    failed = synthetic.write_transfer("failed", fraction=0.3, title="Something else")
    app = show("runs")
    text = words(app)
    assert "1 to 20 of 23" in text
    assert "Run number 21" in text
    assert "Run number 2\n" not in text
    assert "21 to 23 of 23" in words(show("runs", page="2"))
    assert "Run number 0" in words(show("runs", page="99"))
    found = words(show("runs", find="ELSE"))
    assert failed.title in found
    assert "Run number" not in found
    assert "1 to 1 of 1" in words(show("runs", state="failed", kind="transfer"))
    assert "No run is like that" in words(show("runs", find="nothing like it"))


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
