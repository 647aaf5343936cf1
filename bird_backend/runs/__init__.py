"""Runs: a row in the store, a directory that is the contract between processes, and what may be asked of both.

Nothing here needs torch: the app, the command line and the supervisor all stand on it.
"""

from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.queue import cancel, ensure_supervisor, resume, submit, supervisor_alive
from bird_backend.runs.reading import MetricsTail, read_metrics, read_snapshot, snapshots
from bird_backend.runs.store import ACTIVE, FINAL, Run, RunStore

__all__ = [
    "ACTIVE",
    "FINAL",
    "MetricsTail",
    "Run",
    "RunDirectory",
    "RunStore",
    "cancel",
    "ensure_supervisor",
    "read_metrics",
    "read_snapshot",
    "resume",
    "snapshots",
    "submit",
    "supervisor_alive",
]
