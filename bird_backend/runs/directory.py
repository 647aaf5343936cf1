"""One directory per run: the contract between the process that runs and everyone who looks.

spec.json         what was asked for
progress.json     phase, fraction done, seconds left; replaced whole
metrics.jsonl     one JSON object a line, appended by one writer; metrics.parquet once the run is done
artifacts/        snapshots, embeddings, accuracy tables (npz, parquet), weights (safetensors)
checkpoint/       what the run resumes from, replaced whole; kept/ has those of its snapshots, to fork it from
fork/             what a run that was forked goes on from
summary.json      the result
log.txt  lock     what it said; held (flock) for as long as it lives
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bird_backend.errors import InputError

__all__ = ["RunDirectory", "is_locked", "locked", "write_atomic", "write_json"]


@dataclass(frozen=True)
class RunDirectory:
    """Names of what lies in a run's directory, and the few ways to read and write it whole."""

    path: Path

    def create(self, spec: dict[str, Any]) -> None:
        """Make the directory with its spec; an existing one is an error."""
        try:
            self.path.mkdir(parents=True)
            self.artifacts.mkdir()
            self.checkpoint.mkdir()
            write_json(self.path / "spec.json", spec)
        except OSError as error:
            raise InputError(f"The run's directory {self.path} can't be made: {error}.") from error

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint"

    @property
    def kept(self) -> Path:
        """Checkpoints of the snapshots, there once there is one."""
        return self.checkpoint / "kept"

    @property
    def fork(self) -> Path:
        """What a forked run has of the run that it goes on from, so that it needs that no more."""
        return self.path / "fork"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def sealed_metrics(self) -> Path:
        return self.path / "metrics.parquet"

    @property
    def drawn(self) -> Path:
        """Whose geometry is drawn, where the spec left that to the run."""
        return self.artifacts / "drawn.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    def read_spec(self) -> dict[str, Any]:
        """The spec's JSON document; one that is gone or damaged is an `InputError`."""
        document = self._read("spec.json")
        if document is None:
            raise InputError(f"The spec of run {self.path.name} is gone: there is no {self.path / 'spec.json'}.")
        return document

    def read_progress(self) -> dict[str, Any] | None:
        """`phase`, `fraction` in [0, 1], `eta_seconds` or null, `elapsed_seconds`, `updated`; none before the start.

        None where the file is damaged too: the next word of the run replaces it whole.
        """
        try:
            said = self._read("progress.json")
        except InputError:
            return None
        if said is None or not isinstance(said.get("phase"), str) or not isinstance(said.get("fraction"), int | float):
            return None
        return said

    def read_summary(self) -> dict[str, Any] | None:
        """The run's result; none before it is done, an `InputError` where it is damaged."""
        return self._read("summary.json")

    def is_held(self) -> bool:
        """Whether the process that runs it is alive, on this machine or another that shares the disk."""
        return is_locked(self.lock)

    def log_tail(self, lines: int = 100) -> str:
        """The last lines of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 400 * lines))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            document = json.loads((self.path / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is not whole JSON"
            raise InputError(f"The file {name} of run {self.path.name} can't be read: {said}.") from error
        if not isinstance(document, dict):
            raise InputError(f"The file {name} of run {self.path.name} holds no JSON object.")
        return document


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file whole: a reader sees the old content or the new, where it is `durable` after a crash too.

    Waiting until it is on the disk can take a twentieth of a second.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: object, *, durable: bool = True) -> None:
    """`write_atomic` of a JSON document; a number that is not finite is an error, since JSON has none."""
    write_atomic(path, json.dumps(document, indent=1, allow_nan=False).encode(), durable=durable)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock at `path` while inside; yields false, holding nothing, when someone else has it.

    The lock dies with its holder, however that dies, which is what makes it a heartbeat.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise InputError(f"The lock {path} can't be taken: {error.strerror}.") from error
    with file:
        yield _take(file)


def _take(file: IO[str]) -> bool:
    # `is_locked` holds a shared lock for an instant: someone who only looks must not keep us out.
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def is_locked(path: Path) -> bool:
    """Whether someone holds the lock at `path`. Takes a shared lock for an instant to find out."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # gone, or a folder in its place: nobody holds that
    return False
