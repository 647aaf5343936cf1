"""Every test gets a home of its own, and networks that train in a second."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bird_backend import runs
from bird_backend.jobs.supervisor import Supervisor
from tests.browsing import browser, end_supervisor, server

# The tests run side by side, and networks this small are slower on two threads than on one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

__all__ = ["ROOT", "browser", "command", "home", "no_worker", "server", "supervisor", "transfer_document", "write_spec"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home that nothing outside the test knows, and that nobody works on after it."""
    path = tmp_path / "home"
    monkeypatch.setenv("BIRD_HOME", str(path))
    yield path
    if (path / "supervisor.lock").is_file():
        end_supervisor(path)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor that ticks in the test; its children end with it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    supervisor = Supervisor(store=runs.RunStore(), devices=["cpu"])
    yield supervisor
    for child in supervisor.children.values():
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study that is submitted waits, and nobody begins with it."""
    monkeypatch.setattr("bird_backend.studies.store.ensure_supervisor", lambda: None)


@pytest.fixture
def transfer_document() -> dict[str, Any]:
    """A transfer on the digits that takes a second or two; random weights throughout."""
    return {
        "kind": "transfer",
        "data": "digits",
        "teacher": {"model": "cnn-small"},
        "student": {"model": "cnn-small"},
        "method": {"name": "bird", "pairs": [{"teacher": "block1", "student": "block1"}]},
        "training": {"epochs": 2, "batch_size": 128, "lr": 0.05, "checkpoint_every": 5},
        "behaviour": {"name": "corruptions", "conditions": ["contrast"], "strengths": [1, 5]},
        "evaluation": {"limit": 50},
        "snapshots": {"count": 3, "gram_images": 16, "embedding_images": 64},
        "device": "cpu",
    }


def command(*arguments: str, home: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """`python -m bird_backend …` as a person would run it."""
    return subprocess.run(
        [sys.executable, "-m", "bird_backend", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env=os.environ | {"BIRD_HOME": str(home), "OMP_NUM_THREADS": "1"},
        check=False,
    )


def write_spec(folder: Path, document: dict[str, Any], name: str = "spec.json") -> Path:
    """The document as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path
