"""The supervisor: claims queued runs, starts a process for each, ends those that won't stop, revives those that died.

All it knows is in the run table and the locks, so it can be killed and started again at any time; runs go on meanwhile.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.jobs.leases import find_devices, grant
from bird_backend.runs.directory import locked
from bird_backend.runs.queue import supervisor_lock
from bird_backend.runs.store import Run, RunStore

__all__ = ["Supervisor", "work"]

_log = logging.getLogger("bird.supervisor")

MAX_ATTEMPTS = 3
"""Times a run may die without a word (killed, out of memory) before it counts as failed."""
_TICK_SECONDS = 0.2
_STARTING_SECONDS = 15
"""How long a claimed run may take to hold its lock before it counts as dead."""


@dataclass
class Supervisor:
    """`tick` looks at the world once; `work` calls it for ever. The clock and the starter can be put in by a test."""

    store: RunStore
    devices: list[str]
    clock: Callable[[], float] = time.time
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def tick(self) -> None:
        """Reap, revive, stop, start, in that order."""
        for run_id in [run_id for run_id, child in self.children.items() if child.poll() is not None]:
            del self.children[run_id]
        running = self.store.list(states=("running",))
        for run in running:
            if not self._is_alive(run):
                self._revive(run)
            elif run.cancel_requested is not None:
                self._stop(run)
        self._start_queued()

    def _is_alive(self, run: Run) -> bool:
        if run.directory.is_held():
            return True
        child = self.children.get(run.id)
        if child is not None:
            return child.poll() is None
        # Another process's run (the command line's own, or a former supervisor's) may not have its lock yet.
        return run.pid is None and self.clock() - (run.started or run.created) < _STARTING_SECONDS

    def _revive(self, run: Run) -> None:
        run = self.store.get(run.id)
        if run.state != "running":
            return
        if run.cancel_requested is not None:
            self.store.finish(
                run.id, "cancelled", reason="Cancelled; it was ended before it could save its last steps."
            )
        elif run.attempts >= MAX_ATTEMPTS:
            reason = f"The process died {run.attempts} times without a word (out of memory, or killed); see the log."
            self.store.finish(run.id, "failed", reason=reason)
        else:
            self.store.finish(
                run.id, "interrupted", reason="The process died; the run goes on from its last checkpoint."
            )
            self.store.requeue(run.id, states=("interrupted",))
            _log.warning("%s died and is queued again", run.id)

    def _stop(self, run: Run) -> None:
        child = self.children.get(run.id)
        waited = self.clock() - (run.cancel_requested or 0)
        if child is not None and waited > settings.CANCEL_GRACE_SECONDS:
            os.killpg(child.pid, signal.SIGKILL)

    def _start_queued(self) -> None:
        queued = self.store.list(states=("queued",))
        if not queued:
            return
        busy = self.store.list(states=("running",))
        for run in reversed(queued):
            if run.id in self.children:
                continue  # resumed before its last process was quite gone
            device = grant(run.spec.device, run.kind, devices=self.devices, busy=busy)
            if device is None or not self.store.claim(run.id):
                continue
            self.store.set_device(run.id, device)
            self._start(run, device)
            busy.append(self.store.get(run.id))

    def _start(self, run: Run, device: str) -> None:
        with run.directory.log.open("ab") as log:
            self.children[run.id] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "bird_backend.jobs.process", run.id, "--device", device],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=settings.ASSETS.parent,
                env=_threads() | os.environ,
            )
        _log.info("%s started on %s", run.id, device)


def _threads() -> dict[str, str]:
    """One core is left to the page and the projector, and no thread spins while it waits for another.

    With a browser on the same two cores, threads that spin made the demo three times slower.
    """
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1)), "OMP_WAIT_POLICY": "PASSIVE"}


def work(*, idle_exit_seconds: float | None = None) -> None:
    """Supervise this home's queue until TERM, or until nothing was queued or running for `idle_exit_seconds`.

    Runs that are going on when it ends go on. An `InputError` where another supervisor works here already.
    """
    stopping: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _frame: stopping.append(number))
    with locked(supervisor_lock()) as mine:
        if not mine:
            raise InputError(f"A worker for {settings.home()} is running already.")
        supervisor = Supervisor(store=RunStore(), devices=find_devices())
        _log.info("working on %s with %s", settings.home(), ", ".join(supervisor.devices))
        projector = _start_projector()
        busy_at = time.monotonic()
        try:
            while not stopping:
                supervisor.tick()
                if projector.poll() is not None:
                    projector = _start_projector()
                if supervisor.children or supervisor.store.list(states=("queued", "running"), limit=1):
                    busy_at = time.monotonic()
                if idle_exit_seconds is not None and time.monotonic() - busy_at > idle_exit_seconds:
                    break
                time.sleep(_TICK_SECONDS)
        finally:
            projector.terminate()
            projector.wait()


def _start_projector() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bird_backend.jobs.projector"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        cwd=settings.ASSETS.parent,
    )
