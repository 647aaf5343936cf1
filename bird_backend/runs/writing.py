"""The one writer of a run's directory: metrics, progress and artifacts."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bird_backend.runs.directory import RunDirectory, write_atomic, write_json
from bird_backend.runs.reading import MetricsTail
from bird_backend.stopping import check_stop

__all__ = ["RunWriter", "save_arrays"]

_log = logging.getLogger("bird")
_PROGRESS_SECONDS = 0.4


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file whole."""
    content = io.BytesIO()
    np.savez(content, **dict(arrays))  # type: ignore[arg-type]
    write_atomic(path, content.getvalue())


class RunWriter:
    """What `execute` tells of a run as it goes. Progress is a fraction of the whole run, in parts that add up to 1."""

    def __init__(
        self,
        directory: RunDirectory,
        *,
        on_progress: Callable[[str, float, float | None], None] | None = None,
    ) -> None:
        self.directory = directory
        self._on_progress = on_progress
        self._began = time.monotonic()
        self._phase, self._base, self._share = "Starting", 0.0, 0.0
        self._resumed_at = 0.0
        self._told = -1.0

    @property
    def seconds(self) -> float:
        """Since this process began on the run."""
        return time.monotonic() - self._began

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Append metrics rows in one write, so that a reader never sees half a row for longer than the write takes."""
        text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        with self.directory.metrics.open("ab", buffering=0) as file:
            file.write(text.encode())

    @property
    def metrics_size(self) -> int:
        """Bytes of metrics so far: what a checkpoint notes, to go back to on resuming."""
        return self.directory.metrics.stat().st_size if self.directory.metrics.exists() else 0

    def truncate_metrics(self, size: int) -> None:
        """Take back every row after a checkpoint's, and half a row that a death left; the run writes them again."""
        if self.metrics_size > size:
            os.truncate(self.directory.metrics, size)

    def begin(self, phase: str, share: float) -> None:
        """Enter a phase that makes up `share` of the whole run."""
        self._base = min(1.0, self._base + self._share)
        self._phase, self._share = phase, share
        _log.info("%s", phase)
        self.progress(0.0, force=True)

    def skip_to(self, fraction: float) -> None:
        """A resumed phase starts at `fraction` of itself: the estimate of what is left counts from there."""
        self._resumed_at = self._base + self._share * fraction
        self._began = time.monotonic()

    def progress(self, fraction: float, *, detail: str = "", force: bool = False) -> None:
        """Say how much of the phase is done, at most a few times a second; checks for a request to stop."""
        check_stop()
        now = time.monotonic()
        if not force and now - self._told < _PROGRESS_SECONDS:
            return
        self._told = now
        whole = min(1.0, self._base + self._share * fraction)
        done = whole - self._resumed_at
        eta = self.seconds * (1 - whole) / done if done > 0.02 else None
        phase = f"{self._phase}: {detail}" if detail else self._phase
        document = {
            "phase": phase,
            "fraction": round(whole, 4),
            "eta_seconds": None if eta is None else round(eta, 1),
            "elapsed_seconds": round(self.seconds, 1),
            "updated": time.time(),
        }
        write_json(self.directory.path / "progress.json", document, durable=False)  # the next word replaces it
        if self._on_progress is not None:
            self._on_progress(phase, whole, eta)

    def save_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write `artifacts/NAME` (npz) whole."""
        save_arrays(self.directory.artifacts / name, arrays)

    def save_table(self, name: str, table: pd.DataFrame) -> None:
        """Write `artifacts/NAME` (parquet) whole."""
        write_atomic(self.directory.artifacts / name, table.to_parquet(index=False))

    def save_json(self, name: str, document: object) -> None:
        """Write `artifacts/NAME` (JSON) whole."""
        write_json(self.directory.artifacts / name, document)

    def artifact(self, name: str) -> Path:
        """Where an artifact of that name lies or will lie."""
        return self.directory.artifacts / name

    def close(self, summary: dict[str, Any]) -> None:
        """Seal the metrics to Parquet and write the summary."""
        tail = MetricsTail(self.directory.metrics)
        rows = tail.read()
        if tail.damaged:
            _log.warning("%d lines of the metrics are no rows and are left out of the sealed ones", tail.damaged)
        if rows:
            write_atomic(self.directory.sealed_metrics, pd.DataFrame(rows).to_parquet(index=False))
        write_json(self.directory.path / "summary.json", summary)
        self.begin("Done", 0.0)
