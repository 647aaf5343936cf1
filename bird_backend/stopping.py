"""Whether the work under way in this process has been asked to stop.

Cheap enough to ask before every batch, so that whatever takes long asks: training, evaluation, drawing, reading files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bird_backend.errors import Cancelled

__all__ = ["check_stop", "heeding"]

_asked: ContextVar[threading.Event | None] = ContextVar("asked", default=None)


@contextmanager
def heeding(stop: threading.Event) -> Iterator[None]:
    """While inside, `check_stop` raises once `stop` is set."""
    token = _asked.set(stop)
    try:
        yield
    finally:
        _asked.reset(token)


def check_stop() -> None:
    """Raise `Cancelled` if someone asked for what is going on to stop."""
    stop = _asked.get()
    if stop is not None and stop.is_set():
        raise Cancelled("Cancelled; resume it to go on from its last checkpoint.")
