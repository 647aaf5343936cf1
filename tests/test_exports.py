"""A run in the forms of other programs says what the run says; what is missing is a sentence."""

from __future__ import annotations

import io
import json
import math
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bird_backend import settings
from bird_backend.cli import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.exports import EXPORTS, export_file, export_run
from bird_backend.exports.scalars import flattened
from bird_backend.runs.provenance import METADATA_KEY, read_provenance
from bird_backend.runs.reading import read_metrics
from bird_backend.runs.store import Run, RunStore
from tests import synthetic
from tests.conftest import ROOT


@pytest.fixture
def run() -> Run:
    return synthetic.write_transfer("done", title="Mine")


def events(folder: str) -> EventAccumulator:
    found = EventAccumulator(folder)
    found.Reload()
    return found


def test_tables_hold_every_row(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = read_metrics(run.directory)
    assert main(["export", run.id, "--to", "csv", "--out", str(tmp_path), "--json"]) == 0
    (path,) = json.loads(capsys.readouterr().out)["written"]
    pd.testing.assert_frame_equal(pd.read_csv(path), rows, check_dtype=False)
    (path,) = export_run(run, "parquet", tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), rows)


def test_tensorboard_reads_the_curves_the_results_and_the_spec(run: Run, tmp_path: Path) -> None:
    folders = {Path(path).name: path for path in export_run(run, "tensorboard", tmp_path)}
    assert folders.keys() == {"bird", "fine-tuning", "before", "spec"}
    rows = read_metrics(run.directory)
    for arm in ("bird", "fine-tuning"):
        found = events(folders[arm])
        expected = rows[(rows["arm"] == arm) & (rows["type"] == "step")]
        scalars = found.Scalars("train/task_loss")
        assert [scalar.step for scalar in scalars] == expected["step"].tolist()
        assert [scalar.value for scalar in scalars] == pytest.approx(expected["task_loss"].tolist())
        assert run.started is not None
        assert scalars[0].wall_time == pytest.approx(run.started + float(expected["t"].iloc[0]))
        probes = rows[(rows["arm"] == arm) & (rows["type"] == "snapshot")]
        assert [each.value for each in found.Scalars("probes/cka")] == pytest.approx(probes["cka"].tolist())
        assert run.summary is not None
        robust = run.summary["figures"][arm]["robust"]["value"]
        assert found.Scalars("test/robust")[0].value == pytest.approx(robust)
    said = events(folders["spec"]).Tensors("spec/text_summary")[0].tensor_proto.string_val[0].decode()
    assert json.loads(said.removeprefix("```json\n").removesuffix("\n```")) == run.directory.read_spec()
    first = sorted(path.name for path in (tmp_path / run.id).rglob("*") if path.is_file())
    export_run(run, "tensorboard", tmp_path)
    again = [path for path in (tmp_path / run.id).rglob("*") if path.is_file()]
    assert len(again) == len(first), "an older export is not drawn beside the new one"


def test_mlflow_is_told_all_in_requests_it_takes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the calls of MLflow 3.17's client, which this was held to by hand: MLflow is too heavy for the suite."""
    told: dict[str, Any] = {"metrics": [], "params": {}, "files": []}

    class Client:
        def __init__(self, *, tracking_uri: str) -> None:
            told["address"] = tracking_uri

        def get_experiment_by_name(self, _name: str) -> None:
            return None

        def create_experiment(self, name: str, artifact_location: str | None) -> str:
            told["experiment"], told["artifacts"] = name, artifact_location
            return "7"

        def create_run(self, experiment: str, *, start_time: int, tags: dict[str, str], run_name: str) -> Any:
            told.update({"of": experiment, "began": start_time, "tags": tags, "name": run_name})
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id="abc"))

        def log_batch(self, made: str, *, metrics: Any = (), params: Any = ()) -> None:
            assert made == "abc" and len(metrics) <= 1000 and len(params) <= 100
            told["metrics"] += metrics
            told["params"] |= dict(params)

        def log_artifact(self, _made: str, path: str) -> None:
            told["files"].append(Path(path).name)

        def set_terminated(self, _made: str, status: str, *, end_time: int) -> None:
            told["status"], told["ended"] = status, end_time

    modules = {
        "mlflow": types.SimpleNamespace(MlflowClient=Client),
        "mlflow.entities": types.SimpleNamespace(Metric=lambda *of: of, Param=lambda name, text: (name, text)),
        "mlflow.exceptions": types.SimpleNamespace(MlflowException=RuntimeError),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (address,) = export_run(run, "mlflow", tmp_path)
    assert address == f"sqlite:///{tmp_path / 'mlflow.db'}#abc"
    rows = read_metrics(run.directory)
    losses = [of for of in told["metrics"] if of[0] == "bird/train/task_loss"]
    expected = rows[(rows["arm"] == "bird") & (rows["type"] == "step")]
    assert [of[1] for of in losses] == expected["task_loss"].tolist()
    assert [of[3] for of in losses] == expected["step"].tolist()
    assert all(math.isfinite(of[1]) for of in told["metrics"])
    assert told["params"]["method.name"] == "bird" and told["params"]["training.lr"] == "0.005"
    assert (told["status"], told["name"], told["files"]) == ("FINISHED", "Mine", ["spec.json", "summary.json"])


def test_weights_come_with_their_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = settings.ASSETS / "checkpoints" / "fashion-student.safetensors"
    run = synthetic.write_trained("done")
    (run.directory.artifacts / "model.safetensors").write_bytes(source.read_bytes())
    weights, recipe = (Path(path) for path in export_run(run, "weights", tmp_path / "deep" / "er"))
    assert weights.read_bytes() == source.read_bytes()
    assert json.loads(recipe.read_text())["recipe"]["kind"] == "pretrain"
    with zipfile.ZipFile(io.BytesIO(export_file(run, "weights"))) as archive:
        assert archive.read(f"{run.id}.safetensors") == source.read_bytes()
        assert archive.read(f"{run.id}.json") == recipe.read_bytes()
    (run.directory.artifacts / "model.safetensors").unlink()
    assert main(["export", run.id, "--to", "weights", "--out", str(tmp_path)]) == 2
    assert "keeps no weights" in capsys.readouterr().err


def test_only_a_network_that_timm_knows_becomes_its_folder(tmp_path: Path) -> None:
    """What timm loads from the folder is bit for bit the network, which was seen to by hand with timm 1.0.31."""
    run = synthetic.write_trained("done")
    weights = run.directory.artifacts / "model.safetensors"
    weights.write_bytes((settings.ASSETS / "checkpoints" / "fashion-student.safetensors").read_bytes())
    with pytest.raises(InputError, match="trained resnet-narrow, which is none of timm's"):
        export_run(run, "timm", tmp_path)
    made = read_provenance(weights)
    assert made is not None
    small = made.model_copy(update={"model": "timm:resnet18"}).model_dump_json()
    save_file({"fc.weight": np.zeros((2, 2), np.float32)}, weights, metadata={METADATA_KEY: small})
    with pytest.raises(InputError, match="from 64 pixels on"):
        export_run(run, "timm", tmp_path)
    assert not (tmp_path / run.id).exists()


def test_what_can_not_be_exported_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="did you mean tensorboard"):
        export_run(run, "tensorbord", tmp_path)
    queued = synthetic.write_transfer("queued", seed=1)
    for to in ("csv", "tensorboard"):
        with pytest.raises(InputError, match="has no metrics"):
            export_run(queued, to, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        export_run(run, "csv", tmp_path / "file" / "below")
    for package in ("tensorboard", "mlflow"):
        monkeypatch.setitem(sys.modules, package, None)
        for name in [name for name in sys.modules if name.startswith(f"{package}.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(InputError, match=f"needs the package {package}: pip install {package}"):
            export_run(RunStore().get(run.id), package, tmp_path)


def test_packages_are_in_the_extras() -> None:
    extras = (ROOT / "requirements-extras.txt").read_text("utf-8")
    for export in EXPORTS.values():
        assert export.package is None or f"\n{export.package}>=" in extras
        assert export.caption.endswith((".", "…"))


def test_a_spec_is_flat_by_dotted_names() -> None:
    document = {"a": {"b": 1, "c": None}, "d": [1, {"e": 2}], "f": "text"}
    assert flattened(document) == {"a.b": "1", "a.c": "null", "d": '[1, {"e": 2}]', "f": "text"}
