"""Metrics of the runs looked at last, each read on from where the last look ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bird_backend.runs import reading
from bird_backend.runs.directory import RunDirectory

__all__ = ["MetricsCache", "thin", "tidy"]

MAX_ROWS = 200_000
"""Beyond this the oldest step rows are thinned: a page draws at most a few thousand points a curve."""

MAX_POINTS = 600
"""Points a curve is drawn with; more than a screen has columns only costs."""


@dataclass
class _Tail:
    reader: reading.MetricsTail
    path: Path
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)

    def more(self) -> list[dict[str, Any]] | None:
        """The rows since the last look; none where a resumed run has cut its metrics back to its checkpoint."""
        if _size(self.path) < self.reader.offset:
            return None
        damaged = self.reader.damaged
        rows = self.reader.read()
        # Cut back and grown past our place again, it looks damaged from there; from its start it is not.
        return rows if self.reader.damaged == damaged else None


class MetricsCache:
    """The metrics of the runs looked at last, each read on from where the last look ended."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._tails: OrderedDict[str, _Tail] = OrderedDict()

    def read(self, directory: RunDirectory) -> pd.DataFrame:
        """Every row so far. Not to be written to: it is shared."""
        key = str(directory.path)
        with self._lock:
            tail = self._tails.pop(key, None)
            new = tail.more() if tail is not None else None
            if tail is None or new is None:
                tail = _Tail(reading.MetricsTail(directory.metrics), directory.metrics)
                new = tail.reader.read()
            if new:
                tail.frame = tidy(pd.DataFrame(new), tail.frame)
            self._tails[key] = tail
            while len(self._tails) > self._size:
                self._tails.popitem(last=False)
            return tail.frame


def tidy(new: pd.DataFrame, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """`new` rows after those of `frame`, each step said once, and not more of them than a page can use."""
    joined = pd.concat([frame, new], ignore_index=True) if frame is not None and len(frame) else new
    keys = [key for key in ("type", "arm", "step") if key in joined]
    if len(keys) == 3:
        # A run that was resumed may say a step twice; the later word counts.
        joined = joined.drop_duplicates(keys, keep="last", ignore_index=True)
    if len(joined) > MAX_ROWS:
        old = joined.index < len(joined) // 2
        joined = joined[~(old & (joined["type"] == "step") & (joined.index % 2 == 1))].reset_index(drop=True)
    return joined


def thin(rows: pd.DataFrame, limit: int = MAX_POINTS) -> pd.DataFrame:
    """Evenly spaced rows, at most `limit`, the first and the last among them."""
    if len(rows) <= limit:
        return rows
    keep = {round(index * (len(rows) - 1) / (limit - 1)) for index in range(limit)}
    return rows.iloc[sorted(keep)]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
