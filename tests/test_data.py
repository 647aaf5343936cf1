"""The app's door to the backend: incremental metrics, artifacts, and what is asked for."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from app.backend import data
from bird_backend.errors import InputError
from bird_backend.experiments import AnalyzeSpec, load_spec
from bird_backend.runs.store import RunStore
from bird_backend.specs import ModelRef
from tests import synthetic


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def add(run: data.Run, *rows: dict[str, object], end: str = "\n") -> None:
    with run.directory.metrics.open("a", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows) + end)


def step(number: int, **values: object) -> dict[str, object]:
    return {"type": "step", "arm": "bird", "step": number, "task_loss": 1.0, **values}


def test_metrics_grow_with_the_file_and_wait_for_whole_lines() -> None:
    run = synthetic.write_transfer("running", fraction=0)
    assert data.metrics(run).empty
    add(run, step(0), step(1))
    assert data.metrics(run)["step"].tolist() == [0, 1]
    add(run, step(2), end="")
    assert data.metrics(run)["step"].tolist() == [0, 1]
    add(run, end="\n")
    assert data.metrics(run)["step"].tolist() == [0, 1, 2]


def test_a_resumed_run_says_steps_twice_and_the_later_word_counts() -> None:
    run = synthetic.write_transfer("running", fraction=0)
    add(run, step(0), step(1, task_loss=5.0))
    data.metrics(run)
    add(run, step(1, task_loss=0.5), step(2))
    frame = data.metrics(run)
    assert sorted(frame["step"]) == [0, 1, 2]
    assert frame.set_index("step")["task_loss"][1] == 0.5


def test_metrics_cut_back_are_read_anew() -> None:
    run = synthetic.write_transfer("running", fraction=0)
    add(run, *(step(number) for number in range(5)))
    data.metrics(run)
    run.directory.metrics.write_text(json.dumps(step(0)) + "\n", "utf-8")
    assert data.metrics(run)["step"].tolist() == [0]


def test_metrics_cut_back_and_grown_past_where_we_were_are_read_anew() -> None:
    run = synthetic.write_transfer("running", fraction=0)
    add(run, *(step(number) for number in range(5)))
    data.metrics(run)
    run.directory.metrics.write_text("", "utf-8")
    add(run, *(step(number, note="x" * 37) for number in range(7)))
    assert data.metrics(run)["step"].tolist() == list(range(7))


def test_sealed_metrics_are_the_same_as_the_live_ones() -> None:
    run = synthetic.write_transfer("done")
    live = [json.loads(line) for line in run.directory.metrics.read_text("utf-8").splitlines()]
    assert run.directory.sealed_metrics.exists()
    assert len(data.metrics(run)) == len(live)


def test_lines_that_are_no_metrics_are_passed_over() -> None:
    run = synthetic.write_transfer("running", fraction=0)
    run.directory.metrics.write_text("not json\n7\n[1]\n", "utf-8")
    assert data.metrics(run).empty
    add(run, step(0))
    assert data.metrics(run)["step"].tolist() == [0]


def test_snapshots_and_embeddings() -> None:
    run = synthetic.write_transfer("done")
    names = data.snapshot_names(run)
    assert {name.model for name in names} == {"teacher", "bird", "fine-tuning"}
    gram = data.gram(run, names[0])
    assert gram.shape == (synthetic.GRAM, synthetic.GRAM)
    assert np.linalg.norm(gram) == pytest.approx(1, abs=1e-5)
    points, how = data.embedding(run, names[0])
    assert how == "umap"
    flat, how_flat = data.embedding(run, names[0], pca=True)
    assert how_flat == "pca"
    np.testing.assert_allclose(points, 3 * flat, rtol=1e-5)


def test_pca_stands_in_until_umap_is_there() -> None:
    run = synthetic.write_transfer("running", fraction=0.6, umap=False)
    name = data.snapshot_names(run)[0]
    assert data.embedding(run, name)[1] == "pca"
    np.savez(run.directory.artifacts / name.umap_file, points=np.zeros((synthetic.EMBEDDED, 2)))
    assert data.embedding(run, name)[1] == "umap"


def test_a_torn_artifact_is_one_sentence() -> None:
    run = synthetic.write_transfer("done")
    name = data.snapshot_names(run)[0]
    (run.directory.artifacts / name.file).write_bytes(b"torn")
    with pytest.raises(InputError, match="can't be read"):
        data.gram(run, name)


@pytest.mark.parametrize("run_id", ["", "../../etc", "20200101-000000-transfer-0000", "x" * 500])
def test_unknown_runs_are_none(run_id: str) -> None:
    assert data.get_run(run_id) is None


def test_the_demo_that_is_under_way_is_not_started_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "demo_document", synthetic.transfer_document)
    first = data.start_demo()
    assert data.start_demo().id == first.id
    RunStore().finish(first.id, "done")
    assert data.active_demo() is None
    assert data.start_demo().id != first.id


def test_a_layer_map_is_asked_for_once_and_read_when_done() -> None:
    model = ModelRef.model_validate(synthetic.transfer_document()["teacher"])
    asked = AnalyzeSpec(data="digits", teacher=model, student=model)
    run, table = data.layer_map(asked)
    assert table is None
    again, _ = data.layer_map(asked)
    assert again.id == run.id
    synthetic.write_layer_map(run)
    done, table = data.layer_map(asked)
    assert done.id == run.id
    assert table is not None
    assert table.attrs["n"] == 512
    assert table.shape == (len(table.index), len(table.columns))


def test_a_layer_map_that_failed_is_not_asked_for_forever() -> None:
    model = ModelRef.model_validate(synthetic.transfer_document()["teacher"])
    asked = AnalyzeSpec(data="digits", teacher=model, student=model)
    run, _ = data.layer_map(asked)
    RunStore().finish(run.id, "failed", reason="No such file.")
    assert data.layer_map(asked)[0].id == run.id
    assert data.layer_map(asked, retry=True)[0].id != run.id


def test_cancel_and_resume() -> None:
    run = data.submit(synthetic.transfer_document())
    assert data.cancel(run.id).state == "cancelled"
    assert data.resume(run.id).state == "queued"
    with pytest.raises(InputError, match="resumes"):
        data.resume(run.id)


def test_embeddings_are_awaited_until_all_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "worker_alive", lambda: True)
    run = synthetic.write_transfer("done", umap=False)
    assert data.embedding_progress(run) == (0, len(data.snapshot_names(run)))
    assert data.embeddings_pending(run)
    assert not data.embeddings_pending(synthetic.write_transfer("done"))
    data.open_embeddings(run)
    opened = RunStore().get(run.id)
    assert opened.opened is not None
    assert RunStore().not_laid_out(recent=0) == [opened]
    RunStore().set_laid_out(run.id)  # as far as it could be
    assert not data.embeddings_pending(RunStore().get(run.id))


def test_a_bad_document_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(InputError, match="did you mean"):
        data.submit(synthetic.transfer_document(data="cifar11"))
    assert data.list_runs() == []
    assert load_spec(synthetic.transfer_document()).kind == "transfer"


def test_the_app_never_imports_torch() -> None:
    root = Path(data.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("torch", "torchvision") for name in names), path
