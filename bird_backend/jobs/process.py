"""A process that does runs: `python -m bird_backend.jobs.process RUN --device DEVICE`; the command line's `run` too.

Takes a run's lock before anything slow, turns TERM into a polite stop, and closes the row whatever happens. Then it
goes on with the next of the same study: what a process takes seconds to load, and what the runs of a study have in
common, is there already.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bird_backend import settings
from bird_backend.errors import BirdError, Cancelled, InputError, RunError
from bird_backend.experiments.sharing import Shared
from bird_backend.runs.directory import locked
from bird_backend.runs.identity import identify
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.runs.writing import RunWriter
from bird_backend.stopping import heeding
from bird_backend.studies import end_of_budget

__all__ = ["OnProgress", "main", "perform"]

OnProgress = Callable[[str, float, float | None], None]
"""Phase, fraction of the run, seconds left where that is known."""

_LOOK_SECONDS = 0.25

_log = logging.getLogger("bird")


def perform(
    run_id: str, *, device: str, shared: Shared | None = None, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Do a claimed run in this process and close it; returns the summary, or raises the reason it has none.

    `shared` is what earlier runs of this process left for it.
    """
    end = _carry_out(run_id, device=device, shared=shared or Shared(), on_progress=on_progress)
    RunStore().finish(run_id, end.state, reason=end.reason, summary=end.summary)
    if end.error is not None:
        raise end.error
    return end.summary or {}


@dataclass(frozen=True, kw_only=True)
class _End:
    """How a run ended, for its row."""

    state: State
    summary: dict[str, Any] | None = None
    error: BirdError | None = None
    expected: bool = True
    """Whether the process is as well as before: it may be out of memory, say, where it met what it did not expect."""

    @property
    def reason(self) -> str | None:
        return None if self.error is None else str(self.error)


def _carry_out(run_id: str, *, device: str, shared: Shared, on_progress: OnProgress | None) -> _End:
    """Do a claimed run and leave its row to the caller; a `_TakenError` where it is not this process's to close."""
    store = RunStore()
    run = store.get(run_id)
    stop = threading.Event()
    try:
        if not run.directory.path.is_dir():
            # Before the lock, which would make it again.
            raise InputError(f"The run's folder {run.directory.path} is gone, and with it what it was asked for.")
        with locked(run.directory.lock) as mine, _stop_on_term(stop), _heeding_requests(store, run_id, stop):
            if not mine:
                raise _TakenError(f"Run {run_id} is being done by another process already.")
            store.set_process(run_id, ProcessMark.mine(), device=device)
            spec = run.spec
            # After the lock: importing torch takes seconds, and a run without a lock looks dead.
            from bird_backend.experiments.execute import execute  # noqa: PLC0415

            if run.attempts <= 1 and not run.directory.metrics.exists():
                store.set_identity(run_id, identify(spec))
            # What code of one's own prints isn't the result, of which a command may print one document on stdout.
            with heeding(stop), contextlib.redirect_stdout(sys.stderr):
                writer = RunWriter(run.directory, on_progress=on_progress)
                summary = execute(spec, writer, device=device, shared=shared)
    except _TakenError:
        raise
    except Cancelled as error:
        return _End(state="cancelled", error=error)
    except BirdError as error:
        return _End(state="failed", error=error)
    except BaseException as error:
        traceback.print_exc()
        unexpected = RunError(_reason(error))
        unexpected.__cause__ = error
        state: State = "cancelled" if isinstance(error, KeyboardInterrupt) else "failed"
        return _End(state=state, error=unexpected, expected=False)
    return _End(state="done", summary=summary)


class _TakenError(RunError):
    """Another process has the run; it is not this one's to close."""


def main() -> int:
    """The process a supervisor starts. Its output is the log of the run that it does; 1 where the last one failed."""
    parser = argparse.ArgumentParser(description="Do a claimed run, then those of its study that come next.")
    parser.add_argument("run")
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", force=True
    )
    shared = Shared(settings.SHARED_BYTES)
    run_id: str | None = arguments.run
    while run_id is not None:
        try:
            end = _carry_out(run_id, device=arguments.device, shared=shared, on_progress=None)
            if end.error is not None:
                _log.error("%s", end.error)
            elif end.summary is not None:
                _log.info("Done in %s s", end.summary["seconds"])
            run_id = _close(run_id, end, arguments.device)
        except BirdError as error:  # another has the run, or its row can't be written
            _log.error("%s", error)
            return 1
    return int(end.error is not None)


def _close(run_id: str, end: _End, device: str) -> str | None:
    """Close a run's row; the run that this process does next, if there is one for it."""
    store = RunStore()
    if not _can_go_on(store, run_id, end):
        store.finish(run_id, end.state, reason=end.reason, summary=end.summary)
        return None
    if end.summary is not None:
        # Before what is next is taken: nothing is, once the study's time is up.
        end_of_budget(run_id, seconds=end.summary["seconds"])
    process = ProcessMark.mine()
    following = store.finish_and_take_next(
        run_id, end.state, reason=end.reason, summary=end.summary, process=process, device=device
    )
    if following is None:
        return None
    try:
        _write_log_of(following)
    except OSError:
        # The supervisor, whose turn it is then, knows what to make of it.
        store.put_back(following.id, process)
        return None
    return following.id


def _can_go_on(store: RunStore, run_id: str, end: _End) -> bool:
    """Not where the process, rather than its run, was told to end."""
    if isinstance(end.error, Cancelled):
        return store.is_cancel_requested(run_id)
    return end.expected


def _write_log_of(run: Run) -> None:
    """Everything that this process says goes to the run's log from now on, whoever says it."""
    sys.stdout.flush()
    sys.stderr.flush()
    log = os.open(run.directory.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
    finally:
        os.close(log)


@contextmanager
def _stop_on_term(stop: threading.Event) -> Iterator[None]:
    def ask(*_: object) -> None:
        stop.set()

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _heeding_requests(store: RunStore, run_id: str, stop: threading.Event) -> Iterator[None]:
    """Set `stop` once someone asks in the run table: who asks may be on another machine, or their signal was lost."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            with contextlib.suppress(BirdError):  # the table is held for a moment
                if store.is_cancel_requested(run_id):
                    stop.set()

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Stopped from the keyboard; resume it to go on from its last checkpoint."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "The run needs more memory than there is; try a smaller batch or a smaller network."
    if isinstance(error, OSError) and error.strerror:
        return f"The run could not read or write its files: {error.strerror} ({error.filename})."
    said = next(iter(str(error).strip().splitlines()), "no message")
    return f"The run met an error it did not expect ({type(error).__name__}: {said}); see its log."


if __name__ == "__main__":
    sys.exit(main())
