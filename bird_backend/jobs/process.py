"""One process, one run: `python -m bird_backend.jobs.process RUN --device DEVICE`; the command line's `run` too.

Takes the run's lock before anything slow, turns TERM into a polite stop, and closes the row whatever happens.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bird_backend.errors import BirdError, Cancelled, InputError, RunError
from bird_backend.runs.directory import locked
from bird_backend.runs.identity import identify
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import RunWriter
from bird_backend.stopping import heeding

__all__ = ["OnProgress", "main", "perform"]

OnProgress = Callable[[str, float, float | None], None]
"""Phase, fraction of the run, seconds left where that is known."""

_LOOK_SECONDS = 0.4


def perform(run_id: str, *, device: str, on_progress: OnProgress | None = None) -> dict[str, Any]:
    """Do a claimed run in this process and close it; returns the summary, or raises the reason it has none."""
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
                summary = execute(spec, RunWriter(run.directory, on_progress=on_progress), device=device)
    except _TakenError:
        raise
    except Cancelled as error:
        store.finish(run_id, "cancelled", reason=str(error))
        raise
    except BirdError as error:
        store.finish(run_id, "failed", reason=str(error))
        raise
    except BaseException as error:
        traceback.print_exc()
        reason = _reason(error)
        store.finish(run_id, "cancelled" if isinstance(error, KeyboardInterrupt) else "failed", reason=reason)
        raise RunError(reason) from error
    store.finish(run_id, "done", summary=summary)
    return summary


class _TakenError(RunError):
    """Another process has the run; it is not this one's to close."""


def main() -> int:
    """The process a supervisor starts. Its output is the run's log."""
    parser = argparse.ArgumentParser(description="Do one claimed run.")
    parser.add_argument("run")
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", force=True
    )
    log = logging.getLogger("bird")
    try:
        summary = perform(arguments.run, device=arguments.device)
    except BirdError as error:
        log.error("%s", error)
        return 1
    log.info("Done in %s s", summary["seconds"])
    return 0


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
