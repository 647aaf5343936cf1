"""Asking for things: submit, cancel, resume, and a supervisor to do them, from the app and the command line alike."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.experiments import RunSpec, TransferSpec
from bird_backend.runs.checks import check_kind, check_transfer
from bird_backend.runs.directory import is_locked
from bird_backend.runs.identity import networks_in
from bird_backend.runs.store import FINAL, Run, RunStore
from bird_backend.sources import require_network

__all__ = ["cancel", "ensure_supervisor", "resume", "submit", "supervisor_alive", "supervisor_lock"]


def submit(spec: RunSpec, *, reuse: bool = False) -> Run:
    """Queue a run; one that can't be done is an `InputError` and is not queued.

    `reuse` returns a run that was asked for exactly the same and did not fail, where there is one.
    """
    check_kind(spec.kind)
    for network in networks_in(spec):
        require_network(network)
    if isinstance(spec, TransferSpec):
        check_transfer(spec)
    store = RunStore()
    if reuse and (same := store.find_same(spec)) is not None:
        return same
    return store.create(spec)


def cancel(run_id: str) -> Run:
    """Ask a run to stop. A queued one stops at once; a running one saves a checkpoint first, so it can be resumed.

    It hears of it by looking at its row: a signal could reach its process when that has gone on to another run.
    """
    store = RunStore()
    run = store.get(run_id)
    if run.state in FINAL:
        raise InputError(f"Run {run_id} is {run.state} already, so there is nothing to cancel.")
    check_kind(run.kind)
    store.request_cancel(run_id)
    if run.state in ("queued", "interrupted"):
        store.finish(run_id, "cancelled", reason="Cancelled before it went on.")
    return store.get(run_id)


def resume(run_id: str) -> Run:
    """Put a cancelled, failed or interrupted run back in the queue; it goes on from its last checkpoint."""
    store = RunStore()
    check_kind(store.get(run_id).kind)
    if not store.requeue(run_id, states=("cancelled", "failed", "interrupted"), forgive=True):
        raise InputError(
            f"Run {run_id} is {store.get(run_id).state}; only a cancelled, failed or interrupted run resumes."
        )
    return store.get(run_id)


def supervisor_lock() -> Path:
    """Held by the one supervisor of this home for as long as it lives."""
    return settings.home() / "supervisor.lock"


def supervisor_alive() -> bool:
    """Whether a supervisor works on this home's queue."""
    return is_locked(supervisor_lock())


def ensure_supervisor(*, wait_seconds: float = 0) -> None:
    """Start a detached supervisor if none lives. Racing callers are harmless: all but one find the lock taken."""
    if supervisor_alive():
        return
    settings.make_home()
    with (settings.home() / "supervisor.log").open("ab") as log:
        started = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "bird_backend", "worker", "--idle-exit", str(settings.IDLE_EXIT_SECONDS)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=settings.CODE,
            env=os.environ | {"BIRD_HOME": str(settings.home())},
        )
    # Nobody else takes notice of its end: without a waiter it would stay as a zombie for as long as the app lives.
    threading.Thread(target=started.wait, daemon=True).start()
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline and started.poll() is None and not supervisor_alive():
        time.sleep(0.05)
