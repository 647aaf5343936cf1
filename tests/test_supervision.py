"""What the supervisor survives: bad runs, a full disk, a lost projector; and which process a number stands for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bird_backend import runs
from bird_backend.experiments import load_spec
from bird_backend.jobs import devices
from bird_backend.jobs.companion import Companion
from bird_backend.jobs.supervisor import Supervisor
from bird_backend.runs import queue
from bird_backend.runs.devices import kept_devices
from bird_backend.runs.directory import locked, write_json
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.store import RunStore
from tests.conftest import ROOT
from tests.test_jobs import until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    supervisor = Supervisor(store=RunStore(), devices=["cpu"])
    yield supervisor
    for child in supervisor.children.values():
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def quick() -> Any:
    model = {"model": "cnn-small"}
    return load_spec(
        {"kind": "analyze", "data": "digits", "teacher": model, "student": model, "images": 32, "device": "cpu"}
    )


def state(run: runs.Run) -> str:
    return RunStore().get(run.id).state


# Bad runs fail, alone


def test_runs_whose_folder_or_spec_is_gone_fail_alone(supervisor: Supervisor) -> None:
    gone, torn, replaced, good = RunStore().create_all([quick().model_copy(update={"seed": seed}) for seed in range(4)])
    shutil.rmtree(gone.directory.path)
    (torn.directory.path / "spec.json").write_text('{"kind": "eval', "utf-8")
    (replaced.directory.path / "spec.json").unlink()
    (replaced.directory.path / "spec.json").mkdir()
    until(lambda: state(good) == "done", supervisor)
    for run, why in ((gone, "is gone"), (torn, "not whole JSON"), (replaced, "Is a directory")):
        found = RunStore().get(run.id)
        assert found.state == "failed"
        assert why in str(found.reason)
        assert len(str(found.reason).splitlines()) == 1
    assert not gone.directory.path.exists(), "nothing is made in its place"
    assert "Traceback" not in torn.directory.log_tail()


@pytest.mark.parametrize("what", ["spec.json", "lock", "log.txt", ""])
def test_a_running_run_whose_files_are_taken_away_does_not_stop_the_supervisor(
    what: str, supervisor: Supervisor
) -> None:
    store = supervisor.store
    run, other = store.create_all([quick(), quick()])
    assert store.claim(run.id)
    path = run.directory.path / what
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    supervisor.clock = lambda: time.time() + 100
    until(lambda: state(run) == "failed" and state(other) == "done", supervisor)
    assert len(str(store.get(run.id).reason).splitlines()) == 1


def test_a_run_that_was_done_when_its_row_could_not_be_written_is_done() -> None:
    store = RunStore()
    run = store.create(quick(), state="running", device="cpu")
    write_json(run.directory.path / "summary.json", {"state": "done", "seconds": 1.0})
    Supervisor(store=store, devices=["cpu"], clock=lambda: time.time() + 100).tick()
    assert store.get(run.id).summary == {"state": "done", "seconds": 1.0}
    assert state(run) == "done"


def test_what_is_no_fault_of_a_run_puts_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore()
    run = store.create(quick())
    supervisor = Supervisor(store=store, devices=["cpu"])

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", full)
        for _ in range(5):
            with pytest.raises(OSError, match="No space"):
                supervisor.tick()
    found = store.get(run.id)
    assert (found.state, found.attempts, found.device) == ("queued", 0, None)


@LINUX
def test_a_worker_survives_a_full_disk(home: Path) -> None:
    import resource  # noqa: PLC0415 - not on every system

    run = RunStore().create(quick())
    full = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY));"
    code = f"{full} from bird_backend.cli import main; main(['worker'])"
    worker = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"BIRD_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        said = next(line for line in worker.stderr if "is the disk full?" in line)
        assert "It is tried again." in said
        assert state(run) == "queued"
        limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, limit)
        until(lambda: state(run) == "done")
    finally:
        worker.terminate()
        rest = worker.communicate()[1]
    assert "Traceback" not in rest


# Processes


def test_a_process_is_known_by_its_start_and_its_machine() -> None:
    mine = ProcessMark.mine()
    assert mine.is_alive_here
    assert not ProcessMark(pid=mine.pid, host=mine.host, since="another start").is_alive_here
    assert not ProcessMark(pid=mine.pid, host="another machine", since=mine.since).is_alive_here
    assert not ProcessMark(pid=2**22 + 1, host=mine.host, since=mine.since).is_alive_here


def test_a_number_that_was_given_anew_is_not_signalled() -> None:
    """The run's process is gone, and a stranger has its number."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        store = RunStore()
        run = store.create(quick(), state="running", device="cpu")
        mark = ProcessMark(pid=stranger.pid, host=ProcessMark.mine().host, since="an earlier start")
        store.set_process(run.id, mark, device="cpu")
        with locked(run.directory.lock):  # someone else's, so that it looks alive
            runs.cancel(run.id)
            supervisor = Supervisor(store=store, devices=[], clock=lambda: time.time() + 100)
            supervisor.tick()
        time.sleep(0.1)
        assert stranger.poll() is None
        supervisor.tick()
        assert state(run) == "cancelled"
    finally:
        stranger.kill()
        stranger.wait()


@LINUX
def test_a_worker_that_went_to_sleep_leaves_no_zombie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tmp_path / "python"
    short.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    short.chmod(0o755)
    monkeypatch.setattr(queue.sys, "executable", str(short))
    queue.ensure_supervisor(wait_seconds=5)
    until(lambda: not zombies(), seconds=10)


def zombies() -> list[str]:
    """Children of this process that have ended and that nobody took notice of."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] == "Z" and int(fields[1]) == os.getpid():
            found.append(path.parent.name)
    return found


# Devices


FAKE_TORCH = """
from types import SimpleNamespace
import os
seen = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(",") if name]
cuda = SimpleNamespace(
    is_available=lambda: bool(seen), device_count=lambda: len(seen), get_device_name=lambda at: f"H{seen[at]}00"
)
backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
"""


def test_torch_is_asked_in_a_process_of_its_own_and_the_answer_is_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(FAKE_TORCH, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")

    def ask() -> None:
        subprocess.run([sys.executable, "-m", "bird_backend.jobs.devices"], cwd=ROOT, check=True)

    assert kept_devices() is None
    ask()
    found = kept_devices(current=True)
    assert found is not None
    assert [(device.name, device.title) for device in found] == [("cuda:0", "H200"), ("cuda:1", "H300")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert kept_devices(current=True) is None, "the environment lets torch see others now"
    assert kept_devices() == found, "what the worker found is what it uses, whatever the app's own environment says"
    ask()
    assert [device.name for device in kept_devices(current=True) or ()] == ["cpu"]
    (home / "devices.json").write_text("[3", "utf-8")
    assert kept_devices() is None


@LINUX
def test_a_machine_without_any_gpu_need_not_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_DEV", tmp_path)
    monkeypatch.setattr(devices, "_GPU_NODES", ("nvidia*",))
    (tmp_path / "nvidia0").touch()
    assert devices.known_devices() is None
    (tmp_path / "nvidia0").unlink()
    assert [device.name for device in devices.known_devices() or ()] == ["cpu"]
    assert devices.find_devices() == ["cpu"]


# The projector's keeper


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def companion(code: str, table: Path, clock: Callable[[], float], started: list[Any]) -> Companion:
    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, bufsize=0)
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        started.append(process)
        return process

    return Companion(table, start=start, clock=clock)


def test_a_projector_that_keeps_ending_is_begun_again_ever_more_rarely(tmp_path: Path) -> None:
    clock, started = Clock(), list[Any]()
    keeper = companion("raise SystemExit(3)", tmp_path / "table", clock, started)
    waits = []
    for _ in range(4):
        keeper.tick(going=False)
        began = clock.now
        count = len(started)
        started[-1].wait()
        while len(started) == count:
            clock.now += 0.5
            keeper.tick(going=True)
        waits.append(clock.now - began)
    keeper.close()
    assert waits == sorted(waits)
    assert waits[-1] >= 4 * waits[0]


def test_a_projector_is_told_only_when_there_may_be_work(tmp_path: Path) -> None:
    table, heard = tmp_path / "table", tmp_path / "heard"
    table.write_text("", "utf-8")
    code = f"import os\nwhile os.read(0, 1): open({str(heard)!r}, 'a').write('.')"
    clock, started = Clock(), list[Any]()
    keeper = companion(code, table, clock, started)

    def words() -> int:
        return len(heard.read_text()) if heard.exists() else 0

    keeper.tick(going=False)
    until(lambda: words() == 1)
    for _ in range(20):
        clock.now += 1
        keeper.tick(going=False)
    os.utime(table, ns=(1, 1))
    keeper.tick(going=False)
    until(lambda: words() == 2)
    for _ in range(10):
        clock.now += 0.5
        keeper.tick(going=True)
    until(lambda: words() == 7)
    keeper.close()
    assert started[0].poll() is not None
