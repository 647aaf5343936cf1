"""Runs as real processes: queued, done, cancelled, killed and resumed, one device at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from bird_backend import runs
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import load_spec
from bird_backend.jobs.supervisor import MAX_ATTEMPTS, Supervisor
from bird_backend.runs.directory import is_locked, locked
from tests.conftest import ROOT, command, write_spec


def until(condition: Callable[[], object], supervisor: Supervisor | None = None, seconds: float = 90) -> None:
    """Tick until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        if supervisor is not None:
            supervisor.tick()
        time.sleep(0.05)


def long(document: dict[str, Any], epochs: int = 400) -> dict[str, Any]:
    return document | {"baseline": False, "training": document["training"] | {"epochs": epochs, "checkpoint_every": 2}}


def steps(run: runs.Run) -> list[int]:
    frame = runs.read_metrics(run.directory)
    return [] if frame.empty else frame[frame["type"] == "step"]["step"].astype(int).tolist()


def weights(run: runs.Run) -> dict[str, Any]:
    return load_file(run.directory.artifacts / "student-bird.safetensors")


def test_a_queued_run_is_done_by_a_process_of_its_own(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    run = runs.submit(load_spec(transfer_document))
    assert runs.RunStore().get(run.id).state == "queued"
    until(lambda: runs.RunStore().get(run.id).state == "done", supervisor)
    done = runs.RunStore().get(run.id)
    assert done.summary is not None and done.summary["state"] == "done"
    assert done.pid is None and not done.directory.is_held()
    assert done.directory.sealed_metrics.exists()
    names = {path.name for path in done.directory.artifacts.iterdir()}
    assert {"probes.npz", "predictions.npz", "examples.npz", "snapshot-teacher-000000.npz"} <= names
    assert "student-bird.safetensors" in names
    arms = runs.read_metrics(done.directory)
    assert set(arms["arm"]) == {"bird", "fine-tuning"}
    assert "Traceback" not in done.directory.log_tail()


def test_a_killed_run_goes_on_from_its_checkpoint_to_the_same_result(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    document = long(transfer_document, epochs=6)
    whole = runs.submit(load_spec(document))
    until(lambda: runs.RunStore().get(whole.id).state == "done", supervisor)

    run = runs.submit(load_spec(document))
    checkpoint = run.directory.checkpoint / "bird.safetensors"
    until(checkpoint.exists, supervisor)
    os.killpg(supervisor.children[run.id].pid, signal.SIGKILL)
    until(lambda: runs.RunStore().get(run.id).state == "done", supervisor)

    resumed = runs.RunStore().get(run.id)
    assert resumed.attempts == 2
    assert steps(resumed) == steps(whole) == list(range(1, len(steps(whole)) + 1))
    expected, found = weights(whole), weights(resumed)
    assert all((expected[name] == found[name]).all() for name in expected)


def test_cancel_saves_a_checkpoint_and_resume_goes_on(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    run = runs.submit(load_spec(long(transfer_document)))
    until(lambda: len(steps(run)) > 3, supervisor)
    runs.cancel(run.id)
    until(lambda: runs.RunStore().get(run.id).state == "cancelled", supervisor)
    reached = steps(run)
    assert (run.directory.checkpoint / "bird.safetensors").exists()
    assert "resume" in str(runs.RunStore().get(run.id).reason)
    runs.resume(run.id)
    until(lambda: len(steps(run)) > len(reached), supervisor)
    assert steps(run) == list(range(1, len(steps(run)) + 1))
    runs.cancel(run.id)
    until(lambda: runs.RunStore().get(run.id).state == "cancelled", supervisor)


def test_a_process_that_ignores_term_is_ended_after_the_grace(
    supervisor: Supervisor, transfer_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bird_backend.settings.CANCEL_GRACE_SECONDS", 0.5)
    run = runs.submit(load_spec(long(transfer_document)))
    until(lambda: runs.RunStore().get(run.id).pid is not None, supervisor)
    child = supervisor.children[run.id]
    os.killpg(child.pid, signal.SIGSTOP)  # a process that hears nothing
    runs.cancel(run.id)
    until(lambda: runs.RunStore().get(run.id).state == "cancelled", supervisor, seconds=20)
    assert child.wait() == -signal.SIGKILL


def test_one_training_run_a_device_and_a_quick_job_beside_it(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    first, second = (runs.submit(load_spec(long(transfer_document))) for _ in range(2))
    question = {key: transfer_document[key] for key in ("data", "teacher", "student", "device")} | {
        "kind": "analyze",
        "images": 32,
    }
    light = runs.submit(load_spec(question))
    until(lambda: runs.RunStore().get(light.id).state == "done", supervisor)
    assert runs.RunStore().get(first.id).state == "running"
    assert runs.RunStore().get(second.id).state == "queued"
    runs.cancel(second.id)
    assert runs.RunStore().get(second.id).state == "cancelled"
    runs.cancel(first.id)
    until(lambda: runs.RunStore().get(first.id).state == "cancelled", supervisor)


def test_a_failed_run_says_why_and_leaves_the_others(supervisor: Supervisor, transfer_document: dict[str, Any]) -> None:
    good = runs.submit(load_spec(transfer_document))
    until(lambda: runs.RunStore().get(good.id).state == "done", supervisor)
    kept = (good.directory.path / "summary.json").read_bytes()
    spec = transfer_document | {"training": {"epochs": 400, "lr": 10.0, "weight_decay": 1.0, "momentum": 0.99}}
    broken = runs.submit(load_spec(spec))
    until(lambda: runs.RunStore().get(broken.id).state == "failed", supervisor)
    reason = runs.RunStore().get(broken.id).reason
    assert reason is not None and reason.startswith("Training broke at step")
    assert (good.directory.path / "summary.json").read_bytes() == kept
    assert runs.RunStore().get(good.id).state == "done"


def test_a_run_that_keeps_dying_fails(transfer_document: dict[str, Any]) -> None:
    store = runs.RunStore()
    run = store.create(load_spec(transfer_document | {"device": "auto"}))
    supervisor = Supervisor(store=store, devices=[], clock=lambda: time.time() + 100)
    for _ in range(MAX_ATTEMPTS):
        assert store.claim(run.id)
        supervisor.tick()
    assert store.get(run.id).state == "failed"
    assert "died 3 times" in str(store.get(run.id).reason)


def test_only_one_caller_claims_a_run(transfer_document: dict[str, Any]) -> None:
    run = runs.submit(load_spec(transfer_document))
    assert runs.RunStore().claim(run.id)
    assert not runs.RunStore().claim(run.id)


def test_the_worker_ends_and_its_run_goes_on(home: Path, transfer_document: dict[str, Any]) -> None:
    environment = os.environ | {"BIRD_HOME": str(home), "OMP_NUM_THREADS": "1"}
    run = runs.submit(load_spec(long(transfer_document, epochs=40)))
    arguments = [sys.executable, "-m", "bird_backend", "worker"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    worker = start()
    try:
        until(lambda: len(steps(run)) > 0)
        second = command("worker", home=home)
        assert second.returncode == 2
        assert "running already" in second.stderr
        worker.kill()
        worker.wait()
        assert run.directory.is_held()
        worker = start()
        until(lambda: runs.RunStore().get(run.id).state == "done")
        assert runs.RunStore().get(run.id).attempts == 1
    finally:
        worker.terminate()
        worker.wait()
    assert not runs.supervisor_alive()


def test_a_lock_is_a_heartbeat(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with locked(path) as mine:
        assert mine
        assert is_locked(path)
        with locked(path) as second:
            assert not second
    assert not is_locked(path)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import time\nfrom pathlib import Path\nfrom bird_backend.runs.directory import locked\n"
            f"with locked(Path({str(path)!r})): print('held', flush=True); time.sleep(60)",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    assert is_locked(path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert not is_locked(path)


def test_what_can_not_be_cancelled_or_resumed(transfer_document: dict[str, Any]) -> None:
    run = runs.submit(load_spec(transfer_document))
    with pytest.raises(InputError, match="is queued; only"):
        runs.resume(run.id)
    runs.cancel(run.id)
    with pytest.raises(InputError, match="cancelled already"):
        runs.cancel(run.id)
    runs.resume(run.id)
    assert runs.RunStore().get(run.id).state == "queued"
    for name in ("nothing", "../../etc", run.id[:-4] + "zzzz"):
        with pytest.raises(UnknownNameError):
            runs.cancel(name)


def test_the_same_question_is_asked_once(transfer_document: dict[str, Any]) -> None:
    spec = load_spec(transfer_document)
    first = runs.submit(spec, reuse=True)
    assert runs.submit(spec, reuse=True).id == first.id
    runs.cancel(first.id)
    assert runs.submit(spec, reuse=True).id != first.id


def test_metrics_are_read_by_offset_and_a_half_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = runs.MetricsTail(path)
    assert tail.read() == []
    path.write_bytes(b'{"step": 1}\n{"st')
    assert tail.read() == [{"step": 1}]
    with path.open("ab") as file:
        file.write(b'ep": 2}\n')
    assert tail.read() == [{"step": 2}]
    path.write_bytes(b'{"step": 1}\n')
    assert tail.read() == [{"step": 1}]


def test_a_spec_file_can_be_submitted_and_cancelled_from_the_command_line(
    home: Path, tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    run = runs.submit(load_spec(transfer_document))
    assert command("cancel", run.id, home=home).returncode == 0
    again = command("cancel", run.id, home=home)
    assert (again.returncode, again.stdout) == (2, "")
    assert "cancelled already" in again.stderr
    assert write_spec(tmp_path, transfer_document).exists()
