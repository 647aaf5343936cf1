"""Which layouts are made, and in which order: the run that someone looks at, then the newest, and none twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bird_backend.jobs import projector
from bird_backend.jobs.projector import Projector, pending
from bird_backend.runs.reading import SnapshotName, snapshots
from bird_backend.runs.store import Run, RunStore
from tests import synthetic
from tests.conftest import ROOT


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A projection that costs nothing."""
    calls: list[int] = []

    def embed(features: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
        calls.append(len(features))
        return np.zeros((len(features), 2), np.float32)

    monkeypatch.setattr(projector, "embed", embed)
    return calls


def left(run: Run) -> int:
    return len(pending(run.directory))


@pytest.mark.usefixtures("made")
def test_what_is_opened_comes_first_however_old_and_the_newest_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "_RECENT_RUNS", 2)
    old, older, *new = [synthetic.write_transfer("done", seed=seed, umap=False) for seed in range(4)]
    store = RunStore()
    store.note_opened(old.id)
    store.note_opened(older.id)
    work = Projector(store)
    seen: list[str] = []
    while work.step():
        seen += [run.id for run in (old, older, *new) if not left(run) and run.id not in seen]
    assert seen == [older.id, old.id, new[1].id, new[0].id]
    assert all(store.get(run.id).laid_out for run in (old, older, *new))
    assert store.not_laid_out(recent=20) == []


@pytest.mark.usefixtures("made")
def test_runs_that_nobody_opened_wait_beyond_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "_RECENT_RUNS", 1)
    old, new = (synthetic.write_transfer("done", seed=seed, umap=False) for seed in range(2))
    work = Projector(RunStore())
    while work.step():
        pass
    assert (left(new), left(old) > 0) == (0, True)
    RunStore().note_opened(old.id)
    assert work.step()


def test_a_run_that_goes_on_is_looked_at_again(made: list[int]) -> None:
    run = synthetic.write_transfer("running", fraction=0.3, umap=False)
    work = Projector(RunStore())
    while work.step():
        pass
    assert left(run) == 0
    count = len(made)
    first = next(name for name in snapshots(run.directory) if name.model == "fine-tuning")
    path = run.directory.artifacts / first.file
    late = SnapshotName("fine-tuning", 1_234_567)
    path.with_name(late.file).write_bytes(path.read_bytes())
    assert late in snapshots(run.directory), "past step 999,999"
    assert work.step()
    assert len(made) == count + 1


@pytest.mark.usefixtures("made")
def test_a_damaged_snapshot_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    run = synthetic.write_transfer("done", umap=False)
    names = snapshots(run.directory)
    (run.directory.artifacts / names[0].file).write_bytes(b"")
    work = Projector(RunStore())
    while work.step():
        pass
    assert left(run) == 1
    assert RunStore().get(run.id).laid_out
    assert caplog.text.count("can't be embedded") == 1


def test_a_full_disk_is_tried_again(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.write_transfer("done", umap=False)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    work = Projector(RunStore())
    with monkeypatch.context() as patch:
        patch.setattr(projector, "save_arrays", full)
        with pytest.raises(OSError, match="No space"):
            work.step()
    while work.step():
        pass
    assert left(run) == 0
    assert made


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_projector_sleeps_while_nothing_happens_and_ends_with_its_supervisor(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import bird_backend.jobs.projector as p; p.embed = lambda *_: None; p.main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | {"BIRD_HOME": str(home)},
    )

    def ticks() -> int:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    assert process.stdin is not None
    process.stdin.write(b".")
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not (home / "runs.sqlite").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    before = ticks()
    time.sleep(1.5)
    assert ticks() == before
    process.stdin.close()
    assert process.wait(30) == 0
