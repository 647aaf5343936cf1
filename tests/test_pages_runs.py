"""All runs as a page: looked for by what people said of them, as cards or a table, thrown away and had back."""

from __future__ import annotations

import json

import pytest

from app.backend import data
from bird_backend.runs.marking import mark_runs
from bird_backend.runs.store import RunStore
from bird_backend.runs.trash import delete_runs, list_trash
from tests import synthetic
from tests.pages import again, components, show, words


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def test_a_list_is_what_its_address_asks_for() -> None:
    one, two, three = (synthetic.write_transfer("queued", seed=seed, title=f"Number {seed}") for seed in range(3))
    mark_runs([one.id], name="For the talk", starred=True, tags=["paper"], notes="Line *one*.\nLine two.")
    mark_runs([two.id], tags=["paper"], archived=True)
    said = words(show("runs"))
    assert "For the talk" in said and "Number 2" in said and "Number 1" not in said, "the archive is out of the way"
    assert "paper" in said and "Line \\*one\\*. …" in said and ":orange[★]" in said
    for query, expected in (
        ({"tag": "paper"}, ["talk"]),
        ({"tag": "paper", "archive": "yes"}, ["Number 1"]),
        ({"starred": "yes"}, ["talk"]),
        ({"find": "LINE TWO"}, ["talk"]),
        ({"find": three.id}, ["Number 2"]),
        ({"tag": "gone"}, ["talk", "Number 2"]),
    ):
        said = words(show("runs", **query))
        assert [name for name in ("talk", "Number 1", "Number 2") if name in said] == expected, query
    app = show("runs")
    app.toggle("starred").set_value(True)
    app.selectbox("tag").set_value("paper")
    again(app)
    assert app.query_params["starred"] == "yes" and app.query_params["tag"] == "paper"
    assert "1 to 1 of 1" in words(app)


def test_a_table_has_the_columns_that_were_chosen() -> None:
    done = synthetic.write_transfer("done", seed=3)
    synthetic.write_transfer("failed", fraction=0.3, reason="It broke.")
    mark_runs([done.id], starred=True, tags=["paper", "talk"])
    app = show("runs", show="table", columns="state,seed,robust,tags,nonsense")
    (table,) = [element.value for element in app.dataframe]
    assert list(table.columns) == ["★", "Run", "State", "Seed", "Robust, %", "Tags"]
    row = table.iloc[1].to_dict()
    summary = done.summary or {}
    assert row["Robust, %"] == pytest.approx(100 * summary["figures"]["bird"]["robust"]["value"])
    assert (row["★"], row["State"], row["Seed"], list(row["Tags"])) == ("★", "Done", 3, ["paper", "talk"])
    assert app.query_params["columns"] == "state,seed,robust,tags"


def test_what_was_deleted_is_had_back_or_freed() -> None:
    one, two = (synthetic.write_transfer("cancelled", fraction=0, seed=seed) for seed in range(2))
    delete_runs([one.id, two.id])
    app = show("runs")
    app.session_state["_deleted_runs"] = [one.id]
    assert "**The run is in the trash**" in words(again(app))
    app.button("undo_delete").click()
    again(app)
    assert [run.id for run in RunStore().list()] == [one.id] and "in the trash" not in words(app)
    assert [found.id for found in list_trash()] == [two.id]
    app.session_state["_deleted_runs"] = [one.id]
    again(app).button("undo_delete").click()
    assert "Unknown run in the trash" in words(again(app)), "a sentence, and the page goes on"


def test_seeds_of_a_run_are_a_band_until_each_is_asked_for() -> None:
    seeds = [synthetic.write_transfer("done", seed=seed, umap=False) for seed in range(3)]
    other = synthetic.write_transfer("done", method={"name": "fine-tuning"}, umap=False)
    chosen = ",".join(run.id for run in (*seeds[:2], other, seeds[0]))
    app = show("compare", of="runs", runs=chosen)
    assert "Take another seed of these along" in [button.label for button in app.button]

    def names() -> list[str]:
        (found,) = (value for value in components(app).values() if "figure" in value)
        return [trace.get("name", "") for trace in json.loads(str(found["figure"]))["data"]]

    assert [name for name in names() if "lowest to highest" in name] == [
        "A, B, Fine-tuning, lowest to highest seed",
        "A, B, BIRD, lowest to highest seed",
    ]
    app.button("other_seeds").click()
    again(app)
    assert app.query_params["runs"].split(",") == [*(run.id for run in (*seeds[:2], other)), seeds[2].id]
    assert any(name.startswith("A, B, D, BIRD") for name in names())
    app.toggle("singles").set_value(True)
    again(app)
    assert not any("lowest to highest" in name for name in names()) and "A, BIRD" in names()
