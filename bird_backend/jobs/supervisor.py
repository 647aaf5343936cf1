"""The supervisor: claims queued runs, starts a process for each, ends those that won't stop, revives those that died.

All it knows is in the run table and the locks, so it can be killed and started again at any time; runs go on meanwhile.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bird_backend import settings
from bird_backend.errors import BirdError, InputError
from bird_backend.experiments import KINDS
from bird_backend.jobs.companion import Companion
from bird_backend.jobs.devices import known_devices, start_asking
from bird_backend.runs.directory import locked
from bird_backend.runs.queue import supervisor_lock
from bird_backend.runs.store import Run, RunStore
from bird_backend.runs.trash import KEPT_DAYS, empty_trash

__all__ = ["Supervisor", "work"]

_log = logging.getLogger("bird.supervisor")

MAX_ATTEMPTS = 3
"""Times a run may die without a word (killed, out of memory) before it counts as failed."""
_TICK_SECONDS = 0.2
_STARTING_SECONDS = 15
"""How long a claimed run may take to hold its lock before it counts as dead."""
_PATIENCE_SECONDS = 1.0
"""Before another try where the home could not be read or written."""
_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""What is no fault of a run: it waits until there is room again."""


@dataclass
class Supervisor:
    """`tick` looks at the world once; `work` calls it for ever. The clock and the devices can be put in by a test."""

    store: RunStore
    devices: list[str]
    """Those that `auto` may take; while there are none, only runs that name their device are begun."""
    clock: Callable[[], float] = time.time
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    """By the run that each does now: one that is done with its run goes on with the next of the study."""
    awaited: dict[str, float] = field(default_factory=dict)
    """Since when a run was seen without its lock that a living process has taken."""

    def tick(self) -> int:
        """Reap, revive, stop, start, in that order; returns how many runs go on.

        A run that can't be done fails, alone. What concerns the whole home, a held table or a full disk, is raised.
        """
        for run_id in [run_id for run_id, child in self.children.items() if child.poll() is not None]:
            del self.children[run_id]
        running = self.store.list(states=("running",))
        self._follow(running)
        for run in running:
            if not self._is_alive(run):
                self._revive(run)
            elif run.cancel_requested is not None:
                self._stop(run)
        started = 0
        while taken := self.store.claim_oldest(self.devices, besides=self.children):
            self._start(taken)
            started += 1
        return len(running) + started

    def _follow(self, running: list[Run]) -> None:
        """Know each child by the run that it does now."""
        now_on = {run.process.pid: run.id for run in running if run.process is not None and run.process.is_alive_here}
        self.children = {now_on.get(child.pid, run_id): child for run_id, child in self.children.items()}
        self.awaited = {run.id: self.awaited[run.id] for run in running if run.id in self.awaited}

    def _is_alive(self, run: Run) -> bool:
        if run.directory.is_held():
            self.awaited.pop(run.id, None)
            return True
        child = self.children.get(run.id)
        if child is not None:
            return child.poll() is None
        if run.process is not None and run.process.is_alive_here:
            # It has just taken the run, after another. One that has gone on leaves what it could not close.
            return self.clock() - self.awaited.setdefault(run.id, self.clock()) < _STARTING_SECONDS
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
        elif (summary := _result(run)) is not None:
            # It was done, and only the row could not be written any more.
            self.store.finish(run.id, "done", summary=summary)
        elif KINDS[run.kind].recorded:
            reason = "The training that wrote it ended without a word; what it had written is kept."
            self.store.finish(run.id, "failed", reason=reason)
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
        """End a run that was asked to stop and has not."""
        if self.clock() - (run.cancel_requested or 0) <= settings.CANCEL_GRACE_SECONDS:
            return
        child = self.children.get(run.id)
        if child is not None:
            os.killpg(child.pid, signal.SIGKILL)
        elif run.process is not None:
            run.process.send(signal.SIGKILL)

    def _start(self, run: Run) -> None:
        try:
            with run.directory.log.open("ab") as log:
                self.children[run.id] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-m", "bird_backend.jobs.process", run.id, "--device", str(run.device)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=settings.CODE,
                    env=_threads() | os.environ,
                )
        except OSError as error:
            if error.errno in _PASSING:
                self.store.put_back(run.id)
                raise
            where = "is gone" if isinstance(error, FileNotFoundError) else f"can't be written: {error.strerror}"
            self.store.finish(run.id, "failed", reason=f"The run's folder {run.directory.path} {where}.")
            _log.warning("%s could not be started: its folder %s", run.id, where)
            return
        _log.info("%s started on %s", run.id, run.device)


def _result(run: Run) -> dict[str, Any] | None:
    try:
        return run.directory.read_summary()
    except InputError:
        return None


def _threads() -> dict[str, str]:
    """One core is left to the page and the projector, and no thread spins while it waits for another.

    With a browser on the same two cores, threads that spin made the demo three times slower.
    """
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1)), "OMP_WAIT_POLICY": "PASSIVE"}


def work(*, idle_exit_seconds: float | None = None) -> None:
    """Supervise this home's queue until TERM, or until nothing was queued or running for `idle_exit_seconds`.

    Runs that are going on when it ends go on. An `InputError` where another supervisor works here already, or where
    the home is no place to work in; what goes wrong later is said in the log and tried again.
    """
    stopping: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _frame: stopping.append(number))
    settings.make_home()
    with locked(supervisor_lock()) as mine:
        if not mine:
            raise InputError(f"A worker for {settings.home()} is running already.")
        store = RunStore()
        store.count()  # a home of another version is refused here
        empty_trash(older_than_seconds=KEPT_DAYS * 86400.0)
        _log.info("working on %s", settings.home())
        supervisor = Supervisor(store=store, devices=[])
        search, companion = _Search(), Companion(store.table.path)
        busy_at, complaint = time.monotonic(), ""
        try:
            while not stopping:
                supervisor.devices = search.look()
                try:
                    going = supervisor.tick()
                    companion.tick(going=going > 0)
                    busy = bool(going or supervisor.children or store.count(states=("queued",)))
                    complaint = ""
                except (BirdError, OSError) as error:
                    if str(error) != complaint:
                        complaint = str(error)
                        _log.warning("%s It is tried again.", complaint)
                    busy = True
                    time.sleep(_PATIENCE_SECONDS)
                if busy:
                    busy_at = time.monotonic()
                if idle_exit_seconds is not None and time.monotonic() - busy_at > idle_exit_seconds:
                    break
                time.sleep(_TICK_SECONDS)
        finally:
            companion.close()
            search.close()


class _Search:
    """This machine's devices: as they are known, else as a process that loads torch finds them, in some seconds."""

    def __init__(self) -> None:
        self._names = self._known()
        self._asking = None if self._names else start_asking()

    def look(self) -> list[str]:
        """Their names, none while they are being looked for."""
        if self._asking is not None and (code := self._asking.poll()) is not None:
            self._asking = None
            self._names = self._known()
            if not self._names:
                _log.warning("torch could not say what it can compute on (exit code %d); using the CPU", code)
                self._names = ["cpu"]
        return self._names

    def close(self) -> None:
        if self._asking is not None:
            self._asking.terminate()
            self._asking.wait()

    @staticmethod
    def _known() -> list[str]:
        return [device.name for device in known_devices() or ()]
