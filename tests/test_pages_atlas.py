"""The atlas: empty, measured, with outcomes and scores; cells, sweeps and what the address says."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.backend import data
from app.backend.studies import pairs_of
from bird_backend.experiments import AnalyzeSpec, TransferSpec, load_spec
from bird_backend.runs.store import Run, RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies import list_studies
from tests import synthetic
from tests.pages import again, components, show, words
from tests.rankings import write_ranking

LAYERS = ("stem", "block1", "block2", "block3", "pool")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def measured(seed: int = 0, **changes: Any) -> Run:
    demo = data.demo_document()
    roles = {role: ModelRef.model_validate(demo[role]) for role in ("teacher", "student")}
    run, _ = data.layer_map(AnalyzeSpec(data=demo["data"], **roles | changes))
    return synthetic.write_layer_map(run, seed=seed)


def transferred(guiding: str, guided: str, *, seed: int = 0, state: Any = "done", **changes: Any) -> Run:
    document = data.demo_document() | {"title": "", "seed": seed} | changes
    document["method"] |= {"pairs": [{"teacher": guiding, "student": guided}]}
    run = RunStore().create(load_spec(document))
    return synthetic.fill_transfer(run, state, fraction=0.5 if state == "running" else 1.0, umap=False)


def matrix(app: AppTest) -> dict[str, Any]:
    return components(app)["bird_layer_matrix"]


def cell(app: AppTest, guiding: str, guided: str) -> dict[str, Any]:
    found: dict[str, Any] = matrix(app)["cells"][LAYERS.index(guiding)][LAYERS.index(guided)]
    return found


def test_an_empty_home_measures_the_demos_pair_and_shows_its_layers_meanwhile() -> None:
    app = show("atlas")
    [run] = RunStore().list(kind="analyze")
    sides = matrix(app)
    names = [layer["name"] for stage in sides["teacher"]["stages"] for layer in stage["layers"]]
    assert tuple(names) == LAYERS
    assert sides["teacher"]["stages"][1]["layers"][0] == {
        "name": "block1",
        "shape": "16×16×16",
        "size": "4.67k",
        "same": "",
    }
    assert cell(app, "stem", "pool")["text"] == "–"
    assert "Nothing" not in words(app) and app.button("lab_launch").label.startswith("Transfer through this pair")
    synthetic.write_layer_map(run)
    app = show("atlas")
    assert cell(app, "stem", "pool")["words"].startswith("CKA 0.")
    assert "512 validation images before any training" in words(app)
    assert "bird_layer_pair" in components(app)


def test_what_is_looked_at_is_in_the_address() -> None:
    measured()
    app = show("atlas", guiding="stem", guided="block3", image="5", fold="teacher:block1,student:stem")
    assert matrix(app)["chosen"] == ["stem", "block3"]
    assert matrix(app)["teacher"]["folded"] == ["block1"] and matrix(app)["student"]["folded"] == ["stem"]
    shown = components(app)["bird_layer_pair"]
    assert shown["layers"] == ["stem", "block3"] and shown["image"] == 5
    assert len(shown["teacher"]["near"]) == len(shown["places"]) == 64
    assert matrix(show("atlas", guiding="nonsense"))["chosen"][0] in LAYERS


def test_the_outcome_has_intervals_and_fills_in() -> None:
    measured()
    runs = [transferred("block1", "block2", seed=seed) for seed in (0, 1)]
    transferred("stem", "stem", state="running")
    app = show("atlas", show="gain", guiding="block1", guided="block2")
    found = cell(app, "block1", "block2")
    gains = [run.summary["figures"]["bird"]["gain"]["value"] for run in runs if run.summary]
    assert found["text"] == f"{100 * sum(gains) / 2:+.1f}" and found["under"].startswith("±")
    assert "Student's t, over seeds, n\u00a0=\u00a02" in found["words"]
    assert cell(app, "stem", "stem")["text"] == "…"
    assert cell(app, "block3", "stem")["words"] == "no transfer through this pair yet"
    assert "1 of 25 pairs known" in words(app) and "1 run on the way" in words(app)


def test_after_a_transfer_is_measured_and_held_against_before() -> None:
    measured()
    run = transferred("block1", "block2")
    assert "weights are no longer there" in words(show("atlas", show="difference"))
    (run.directory.artifacts / "student-bird.safetensors").write_bytes(b"of another day")
    show("atlas", show="difference")
    after = RunStore().list(kind="analyze")[0]
    assert isinstance(after.spec, AnalyzeSpec) and str(after.spec.student.weights).endswith("student-bird.safetensors")
    synthetic.write_layer_map(after, seed=1)
    app = show("atlas", show="difference")
    assert cell(app, "stem", "stem")["words"].startswith("CKA ") and matrix(app)["scale"] == "diverging"
    assert [each["label"] for each in components(app)["bird_layer_pair"]["students"]] == ["Before", "After"]


def test_scores_fill_the_table_and_stand_against_the_outcome() -> None:
    measured()
    pairs = [(guiding, guided) for guiding in ("block1", "block2") for guided in ("block2", "block3")]
    for seed, (guiding, guided) in enumerate(pairs):
        transferred(guiding, guided, seed=seed)
    assert any(button.key == "lab_score" for button in show("atlas", show="scores").button)
    demo = data.demo_document()
    looked = {"teachers": [demo["teacher"] | {"layers": list(LAYERS[1:3])}], "student": demo["student"]}
    write_ranking(data=demo["data"], **looked)
    app = show("atlas", show="scores", score="probe_accuracy", x="probe_accuracy")
    assert cell(app, "block1", "block2")["text"].endswith("%") and cell(app, "stem", "stem")["text"] == "–"
    assert "n = 4 pairs of layers" in words(app)
    assert "outcome_scatter" in components(app)
    assert "n = 4 pairs of layers" in words(show("atlas"))


def test_a_sweep_says_its_time_first_and_is_one_study() -> None:
    measured()
    app = show("atlas", guiding="block1", guided="block2")
    assert "**4 pairs** and fine-tuning, 6 runs in all" in words(app)
    app.selectbox("sweep").select("promising")
    again(app)
    app.number_input("sweep_count").set_value(2)
    again(app)
    assert "**2 pairs**" in words(app) and "about" in words(app)
    app.button("sweep_start").click()
    again(app)
    [study] = list_studies()
    found = pairs_of(study).table
    frame = data.layer_table(RunStore().list(kind="analyze")[0])
    assert frame is not None
    best = frame.drop(index="pool", columns="pool").stack().nlargest(2).index.tolist()
    assert list(zip(found["teacher_layer"], found["student_layer"], strict=True)) == best
    assert app.query_params["show"] == "gain"
    assert "2 runs on the way" in words(app)


def test_a_pair_is_launched_beside_its_fine_tuning_with_the_settings_of_the_others() -> None:
    measured()
    transferred("block1", "block2", training={"epochs": 3})
    app = show("atlas", guiding="block3", guided="stem")
    app.button("lab_launch").click()
    app.run()
    launched = RunStore().list(kind="transfer")[0].spec
    assert isinstance(launched, TransferSpec)
    assert (launched.pairs[0].teacher, launched.pairs[0].student) == ("block3", "stem")
    assert launched.training.epochs == 3 and launched.baseline


def test_a_layer_map_without_its_geometry_or_with_a_damaged_one_is_said_to_be() -> None:
    run = measured()
    path = run.directory.artifacts / "layer-geometry.npz"
    path.write_bytes(b"torn")
    assert any("layer-geometry.npz" in error.value for error in show("atlas").error)
    path.unlink()
    assert "kept no Gram matrices" in words(show("atlas"))
