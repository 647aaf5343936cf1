"""The run table: the oldest run first, whole studies or none, readers that wait for nobody, other versions' homes."""

from __future__ import annotations

import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bird_backend import runs, studies
from bird_backend.cli import main
from bird_backend.errors import InputError, RunError
from bird_backend.experiments import load_spec
from bird_backend.jobs.leases import lease
from bird_backend.jobs.supervisor import Supervisor
from bird_backend.runs import reading
from bird_backend.runs.reading import SnapshotName
from bird_backend.runs.store import RunStore
from bird_backend.runs.table import VERSION
from bird_backend.runs.writing import RunWriter
from bird_backend.studies import plan_methods, submit_study
from tests.conftest import ROOT
from tests.study_runs import demo


def evaluation(**changes: Any) -> Any:
    return load_spec({"kind": "evaluate", "data": "digits", "model": {"model": "cnn-small"}} | changes)


def training(**changes: Any) -> Any:
    return load_spec({"kind": "pretrain", "data": "digits", "model": {"model": "cnn-small"}} | changes)


def test_the_oldest_of_many_is_taken_first_and_a_list_hides_none() -> None:
    store = RunStore()
    made = store.create_all([evaluation(seed=seed) for seed in range(230)])
    assert store.count() == len(store.list()) == 230
    assert [run.id for run in store.list(limit=2, offset=1)] == [made[-2].id, made[-3].id]
    assert store.count(kind=("pretrain", "transfer")) == 0
    assert store.waiting_before(made[7]) == 7
    taken = store.claim_oldest(["cpu"])
    assert taken is not None
    assert (taken.id, taken.state, taken.device, taken.attempts) == (made[0].id, "running", "cpu", 1)
    assert store.waiting_before(made[7]) == 6
    assert store.count(states=("queued",)) == 229


def test_a_device_takes_one_training_run_and_one_quick_job_beside_it() -> None:
    store = RunStore()
    first, second, third = store.create_all([training(seed=seed) for seed in range(3)])
    quick = store.create(evaluation())
    named = store.create(training(device="cuda:7"))
    devices = ["cuda:0", "cuda:1"]
    taken = [store.claim_oldest(devices) for _ in range(5)]
    assert [(run.id, run.device) for run in taken if run] == [
        (first.id, "cuda:0"),
        (second.id, "cuda:1"),
        (quick.id, "cuda:0"),
        (named.id, "cuda:7"),  # the run itself says that there is no such device
    ]
    store.finish(first.id, "done")
    assert store.claim_oldest(devices, besides=[third.id]) is None
    freed = store.claim_oldest(devices)
    assert freed is not None
    assert (freed.id, freed.device) == (third.id, "cuda:0")


def test_before_the_devices_are_known_only_named_ones_are_granted() -> None:
    store = RunStore()
    store.create(training())
    named = store.create(training(device="cpu"))
    taken = store.claim_oldest([])
    assert taken is not None
    assert taken.id == named.id
    assert store.claim_oldest([]) is None


def test_a_foreground_run_on_cuda_has_the_first_device() -> None:
    store = RunStore()
    store.create(training(device="cuda"), state="running", device=lease("cuda"))
    store.create(training())
    store.create(training(device="cuda", seed=1))
    assert store.claim_oldest(["cuda:0"]) is None
    other = store.claim_oldest(["cuda:0", "cuda:1"])
    assert other is not None
    assert other.device == "cuda:1"


def test_many_takers_take_each_run_once() -> None:
    made = RunStore().create_all([evaluation(seed=seed, device="cpu") for seed in range(12)])
    devices = [f"cuda:{index}" for index in range(12)]
    RunStore().create_all([evaluation(seed=100 + seed) for seed in range(12)])

    def take(_: int) -> str | None:
        run = RunStore().claim_oldest(devices)
        return None if run is None else run.id

    with ThreadPoolExecutor(8) as pool:
        taken = [run_id for run_id in pool.map(take, range(30)) if run_id is not None]
    assert len(taken) == len(set(taken)) == 13, "one on the CPU and one on each of the others"
    assert made[0].id in taken


def test_names_of_runs_do_not_meet() -> None:
    names = {run.id for run in RunStore().create_all([evaluation(seed=seed) for seed in range(50)])}
    assert len(names) == 50
    assert {len(name.rpartition("-")[2]) for name in names} == {16}, "64 random bits"


# Studies, whole or not at all


def test_a_study_that_can_not_be_kept_leaves_no_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("bird_backend.studies.store.write_study", fail)
    with pytest.raises(OSError, match="full"):
        submit_study(plan_methods(demo(), methods=["bird", "fine-tuning"], seeds=2), start_worker=False)
    assert RunStore().list() == []
    assert list((home / "runs").iterdir()) == []


def test_a_kill_while_a_study_is_kept_leaves_no_half_of_it(home: Path) -> None:
    code = (
        "import os, signal\n"
        "from bird_backend.studies import store, plan_methods\n"
        "from tests.study_runs import demo\n"
        "keep = store.write_study\n"
        "def die(db, study):\n"
        "    keep(db, study)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.write_study = die\n"
        "store.submit_study(plan_methods(demo(), methods=['bird', 'fine-tuning'], seeds=2), start_worker=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert studies.list_studies() == []
    assert RunStore().list() == []
    study = submit_study(plan_methods(demo(), methods=["bird", "fine-tuning"], seeds=2), start_worker=False)
    assert len(RunStore().get_many(study.run_ids)) == len(study.members) == 8
    assert studies.read_study(study.id) == study


# A table that others hold, or that is another version's


def held(home: Path, how: str) -> Any:
    """A connection that holds the table."""
    RunStore().count()
    other = sqlite3.connect(home / "runs.sqlite", isolation_level=None)
    other.execute(f"begin {how}")
    return closing(other)


def test_readers_read_while_another_writes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bird_backend.settings.TABLE_WAIT_SECONDS", 0.05)
    run = RunStore().create(evaluation())
    with held(home, "immediate"):
        assert RunStore().get(run.id) == run
        assert RunStore().list() == [run]
        assert RunStore().find_same(run.spec) == run
        with pytest.raises(RunError, match=r"held by another process; try again in a moment\.$"):
            RunStore().request_cancel(run.id)
    RunStore().request_cancel(run.id)


def test_a_held_table_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bird_backend.settings.TABLE_WAIT_SECONDS", 0.05)
    with held(home, "exclusive"):
        assert main(["list", "runs"]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "held by another process" in said.err
        assert len(said.err.splitlines()) == 1
        with pytest.raises(RunError, match="held by another process"):
            Supervisor(store=RunStore(), devices=["cpu"]).tick()
    assert main(["list", "runs"]) == 0


@pytest.mark.parametrize(("version", "age"), [(VERSION - 1, "an older"), (VERSION + 1, "a newer"), (0, "an older")])
def test_a_home_of_another_version_says_so_and_is_left_alone(
    home: Path, version: int, age: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    path = home / "runs.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table runs (id text primary key, spec_hash text)")
        db.execute("insert into runs values ('20200101-000000-transfer-0000', 'abc')")
        db.execute(f"pragma user_version = {version}")
        db.commit()
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"made by {age} version of BIRD Explorer .* nothing in it was changed"):
        RunStore().list()
    with pytest.raises(InputError):
        RunStore().create(evaluation())
    assert main(["worker"]) == 2
    assert main(["status"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert path.read_bytes() == before
    assert not (home / "runs").exists()


def test_a_run_table_that_is_none_is_one_sentence(home: Path) -> None:
    home.mkdir()
    (home / "runs.sqlite").write_bytes(b"not a table at all" * 100)
    with pytest.raises(InputError, match="is damaged"):
        RunStore().list()


def test_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "file"))
    for arguments in (["worker"], ["status"], ["list", "runs"], ["list", "studies"]):
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


# What a damaged home says


def test_a_spec_that_is_gone_damaged_or_of_another_version_is_one_sentence() -> None:
    run = RunStore().create(evaluation())
    path = run.directory.path / "spec.json"
    whole = path.read_bytes()
    for content in (whole[:20], b"", b"7", b"[" * 100_000, json.dumps({"kind": "haunt"}).encode(), b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"run {run.id}"):
            _ = run.spec
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        _ = run.spec
    path.mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        _ = run.spec


def test_progress_that_is_damaged_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    run = RunStore().create(evaluation(), state="running")
    for content in ("", '{"phase": "Trai', "7", '{"phase": 3, "fraction": "x"}', "[]"):
        (run.directory.path / "progress.json").write_text(content, "utf-8")
        assert run.directory.read_progress() is None
        assert main(["status", run.id]) == 0
        assert main(["status", run.id, "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_a_study_of_many_runs_is_read_at_once() -> None:
    made = RunStore().create_all([evaluation(seed=seed) for seed in range(60)])
    assert RunStore().get_many([*(run.id for run in made), "nobody"]) == {run.id: run for run in made}
    assert runs.RunStore().get_many([]) == {}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 torn", b"7", None], ids=["empty", "torn", "a number", "an array"]
)
def test_artifacts_that_are_damaged_are_one_sentence(content: bytes | None) -> None:
    directory = RunStore().create(evaluation()).directory
    bare = io.BytesIO()
    np.save(bare, np.zeros(3))
    name = SnapshotName("bird", 0)
    reads: dict[str, Callable[[], object]] = {
        "predictions.npz": lambda: reading.read_predictions(directory),
        "examples.npz": lambda: reading.read_examples(directory),
        "gallery.npz": lambda: reading.read_gallery(directory),
        "probes.npz": lambda: reading.read_probes(directory),
        name.file: lambda: reading.read_snapshot(directory, name, "gram"),
        name.umap_file: lambda: reading.read_embedding(directory, name),
    }
    for file, read in reads.items():
        (directory.artifacts / file).write_bytes(bare.getvalue() if content is None else content)
        with pytest.raises(InputError, match=f"The file {file} of run .* can't be read: it is damaged"):
            read()
        np.savez(directory.artifacts / file, other=np.zeros(3))
        with pytest.raises(InputError, match="it lacks some of what belongs into it"):
            read()


def test_half_a_row_is_left_out_of_the_sealed_metrics(caplog: pytest.LogCaptureFixture) -> None:
    directory = RunStore().create(evaluation()).directory
    directory.metrics.write_bytes(b'{"step": 1}\n{"st{"step": 2}\n7\n{"step": 3}\n\xff\n')
    RunWriter(directory).close({"state": "done"})
    assert reading.read_metrics(directory)["step"].tolist() == [1, 3]
    assert "3 lines of the metrics are no rows" in caplog.text
