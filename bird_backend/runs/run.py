"""A run as its row in the table says it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.experiments import RunSpec, load_spec
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.marks import NOTHING_SAID, Marks, marks_of
from bird_backend.runs.processes import ProcessMark

__all__ = ["ACTIVE", "FINAL", "Run", "State", "read_run_spec", "run_of"]

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
FINAL: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row. Times are seconds since the epoch; `reason` says why it failed; `summary` is its result."""

    id: str
    kind: str
    title: str
    state: State
    identity: str
    """Equal for runs that give the same result: see `runs.identity`."""
    family: str
    """Equal for runs that differ in nothing but the seed."""
    depends_on: dict[str, Any]
    """What the identity is made of: `spec`, `weights` and `folders` with their digests, `data`, `code`."""
    wanted: str
    """The device that was asked for: `auto`, or one by name, CUDA ones with their number."""
    created: float
    started: float | None
    finished: float | None
    device: str | None
    """The one it has or had."""
    pid: int | None
    host: str | None
    pid_since: str | None
    attempts: int
    cancel_requested: float | None
    reason: str | None
    summary: dict[str, Any] | None
    opened: float | None
    """When someone last wanted to see its embeddings."""
    laid_out: bool
    """Whether every embedding that it can have has been made."""
    marks: Marks = NOTHING_SAID
    """What people say of it; its name among them is its `title`."""

    @property
    def directory(self) -> RunDirectory:
        """Where everything the run reads and writes lies."""
        return RunDirectory(settings.runs_dir() / self.id)

    @property
    def spec(self) -> RunSpec:
        """What was asked for; an `InputError` where its file is gone, damaged or of another version."""
        return read_run_spec(self.directory)

    @property
    def process(self) -> ProcessMark | None:
        """Who does it, while someone does."""
        if self.pid is None or self.host is None or self.pid_since is None:
            return None
        return ProcessMark(pid=self.pid, host=self.host, since=self.pid_since)


def read_run_spec(directory: RunDirectory) -> RunSpec:
    """The spec in a run's directory; an `InputError` where its file is gone, damaged or of another version."""
    document = directory.read_spec()
    try:
        return load_spec(document)
    except InputError as error:
        raise InputError(f"The spec of run {directory.path.name} is no longer valid: {error}") from error


def run_of(row: sqlite3.Row) -> Run:
    """The run that a row of the table says, with `marks` where the row has them (`wanted.MARKED_RUNS`)."""
    fields = dict(row)
    fields["summary"] = json.loads(fields["summary"]) if fields["summary"] else None
    fields["depends_on"] = json.loads(fields["depends_on"])
    marks = marks_of(fields.pop("marks", None))
    title = marks.name or fields["title"]
    return Run(**fields | {"laid_out": bool(fields["laid_out"]), "title": title, "marks": marks})
