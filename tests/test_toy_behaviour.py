"""A behaviour is one file: put there, it is found in specs, the command line, forms, the gallery and the tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app import charts
from app.backend import data
from app.charts.severity_grid import severity_grid
from app.form.drafts import Draft, option_fields
from bird_backend import behaviours
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.cli import main
from bird_backend.experiments import load_spec
from bird_backend.runs.store import RunStore
from tests.pages import show, words

FILE = '''
"""Robustness to darkness."""

from typing import Literal

from pydantic import Field

from bird_backend.behaviours.declaration import Behaviour, BehaviourSettings, Condition, Words

__all__ = ["DECLARES"]


class DarknessSettings(BehaviourSettings):
    name: Literal["darkness"] = "darkness"
    floor: int = Field(default=0, ge=0, le=255)


def darken(images, condition, strength, given):
    darker = (images // (strength + 1)).clamp(min=given.settings.floor)
    return darker.flip(1) if condition == "moonlight" else darker


DECLARES = Behaviour(
    name="darkness",
    place=99,
    title="Darkness",
    caption="Less and less light.",
    words=Words(
        condition="hour", conditions="hours", strength="depth", strengths="depths", changed="darkened",
        under="in the dark", how="The test images are darkened.", question="What does the dark look like?",
    ),
    list_conditions=lambda: (
        Condition(name="dusk", title="Dusk", caption="Still some light.", family="evening"),
        Condition(name="moonlight", title="Moonlight", caption="And other colours.", family="night"),
    ),
    settings=DarknessSettings,
    apply=darken,
)
'''


@pytest.fixture
def darkness(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "toys" / "darkness"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FILE)
    monkeypatch.setattr(behaviours, "__path__", [*behaviours.__path__, str(folder.parent)])
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    BEHAVIOURS.forget()
    yield "darkness"
    monkeypatch.undo()
    BEHAVIOURS.forget()
    sys.modules.pop("bird_backend.behaviours.darkness", None)


def test_it_is_listed_measured_and_shown_in_its_own_words(darkness: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "behaviours", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)[-1]
    assert (listed["name"], listed["options"]) == (darkness, ["floor"])
    assert [each["name"] for each in listed["conditions"]] == ["dusk", "moonlight"]

    line = ["evaluate", "--weights", "digits-robust-teacher", "--data", "digits", "--limit", "40"]
    assert main([*line, "--behaviour", darkness, "--strengths", "1,5", "--device", "cpu", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["behaviour"] == darkness
    assert set(summary["cells"]["model"]) == {"dusk", "moonlight"}
    found = summary["figures"]["model"]
    assert {"clean", "robust", "seen"} <= found.keys() and not {"held_out", "pooled"} & found.keys()

    assert main(["status", summary["run"]]) == 0
    said = capsys.readouterr().out
    assert "in the dark" in said and "corrupt" not in said

    run = RunStore().get(summary["run"])
    predictions = data.predictions(run)
    assert predictions is not None
    grid = severity_grid(predictions)
    assert grid["words"] == {"condition": "hour", "strength": "depth", "strengths": "depths"}
    assert [group["title"] for group in grid["groupings"]["kind"]] == ["Evening", "Night"]
    assert [group["title"] for group in grid["groupings"]["part"]] == ["Seen"]
    assert "All hours" in charts.by_condition(predictions)["What"].tolist()
    app = show("robustness", run=run.id)
    page = words(app)
    assert "The test images are darkened." in page
    assert "What does the dark look like?" in [each.proto.label for each in app.main.get("page_link")]
    assert "corrupt" not in page.lower() and "severit" not in page.lower()


def test_a_draft_carries_it_to_a_spec_and_back(darkness: str) -> None:
    assert list(option_fields(darkness)) == ["floor"]
    draft = Draft(behaviour=darkness, conditions=("dusk",), strengths=(2,), options=("floor=9",))
    document = draft.document({})
    assert document["behaviour"] == {"name": darkness, "conditions": ["dusk"], "strengths": [2], "floor": 9}
    back = Draft.of(document)
    assert (back.behaviour, back.conditions, back.strengths, back.options) == (darkness, ("dusk",), (2,), ("floor=9",))
    assert Draft.of(Draft(behaviour=darkness).document({})).conditions == ("all",)


def test_forms_offer_it_with_its_words_and_options(darkness: str) -> None:
    app = show("launch", behaviour=darkness, conditions="dusk")
    assert "Darkness" in app.segmented_control(key="behaviour").options
    assert app.pills(key="conditions").label == "Hours to test on"
    assert app.pills(key="conditions").value == ["dusk"]
    assert app.number_input(key="_darkness_floor").value == 0
    training = show("models", part="train", behaviour=darkness)
    assert training.pills(key="against").label == "Hours to train on"


def test_the_gallery_draws_it(darkness: str) -> None:
    run, drawn = data.gallery(data="digits", behaviour=darkness)
    assert drawn is None
    spec = load_spec(run.directory.read_spec())
    assert spec.behaviour.conditions == ("dusk", "moonlight")  # type: ignore[attr-defined]
    assert "Changed by" in [box.label for box in show("gallery", data="digits", behaviour=darkness).selectbox]
    assert np.array_equal(BEHAVIOURS[darkness].seen, ("dusk", "moonlight"))
