"""Kill -9 of worker and run in mid-study: the table is that of a study of pairs that nothing happened to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bird_backend import runs
from bird_backend.cli.study_runner import perform_study
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.studies import pairs_of, plan_pairs, read_study, resume_study, states_of, submit_study
from tests.conftest import ROOT
from tests.test_jobs import until

pytestmark = pytest.mark.usefixtures("no_worker")


def test_a_study_of_pairs_survives_a_kill_of_worker_and_run(
    home: Path, tmp_path: Path, transfer_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = transfer_document["training"] | {"epochs": 4, "checkpoint_every": 2}
    base = load_spec(transfer_document | {"training": training})
    assert isinstance(base, TransferSpec)
    plan = plan_pairs(base, layers=[("block1", "block1"), ("block2", "block1")])
    study = submit_study(plan)
    second = runs.RunStore().get(study.run_ids[-2])
    worker = _worker(home)
    until((second.directory.checkpoint / "bird.safetensors").exists)
    run = runs.RunStore().get(second.id)
    assert run.state == "running" and run.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    worker.wait()
    until(lambda: not second.directory.is_held())
    assert states_of(study).get("done") == len(study.members) - 2, "what was done before is done"
    resume_study(study.id)
    worker = _worker(home)
    until(lambda: states_of(read_study(study.id)) == {"done": len(study.members)})
    worker.terminate()
    worker.wait()
    assert runs.RunStore().get(second.id).attempts == 2
    broken = pairs_of(study).table

    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "other"))
    whole, failures = perform_study(plan, on_progress=lambda *_: None)
    assert not failures
    named = ["seconds", "run"]
    pd.testing.assert_frame_equal(
        broken.drop(columns=named), pairs_of(whole).table.drop(columns=named), check_exact=True
    )


def _worker(home: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"BIRD_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "bird_backend", "worker"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
