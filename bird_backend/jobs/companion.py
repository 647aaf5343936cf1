"""The supervisor's hold on the projector: kept alive, and told when there may be something to lay out.

The projector sleeps on a pipe until it is told, so that it costs nothing while nothing happens, and ends with its
supervisor, whose end closes the pipe.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bird_backend import settings

__all__ = ["Companion"]

_log = logging.getLogger("bird.supervisor")

_TELL_SECONDS = 1.0
"""Between two words to it while a run goes on, which draws a snapshot now and then."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
_SETTLED_SECONDS = 60.0
"""One that lived so long did not end of what it met at its start."""


class Companion:
    """One projector, begun again when it ends, each time after a longer pause."""

    def __init__(
        self,
        table: Path,
        *,
        start: Callable[[], subprocess.Popen[bytes]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`table` is the file whose changes may mean work; a test puts in `start` and `clock`."""
        self._table = table
        self._start = start or _start_projector
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._again_at = self._told_at = clock()
        self._pause = _FIRST_PAUSE
        self._seen: int | None = None

    def tick(self, *, going: bool) -> None:
        """See that it lives, and tell it of what has changed; `going` says that a run is under way."""
        now = self._clock()
        if self._process is not None and (code := self._process.poll()) is not None:
            self._let_go()
            if now - self._began > _SETTLED_SECONDS:
                self._pause = _FIRST_PAUSE
            self._again_at = now + self._pause
            _log.warning("the projector ended with exit code %d and is begun again in %.0f s", code, self._pause)
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
        if self._process is None:
            if now < self._again_at:
                return
            self._process, self._began, self._seen = self._start(), now, None
        changed = _changed_at(self._table)
        if changed != self._seen or (going and now - self._told_at >= _TELL_SECONDS):
            self._seen, self._told_at = changed, now
            self._tell()

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._let_go()

    def _tell(self) -> None:
        if self._process is None or self._process.stdin is None:
            return
        # It may not have read what it was told before, or have ended, which the next look sees.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._process.stdin.fileno(), b".")

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def _changed_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _start_projector() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bird_backend.jobs.projector"],
        stdin=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        cwd=settings.CODE,
    )
    if process.stdin is not None:
        os.set_blocking(process.stdin.fileno(), False)
    return process
