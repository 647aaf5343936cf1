"""`cache`: the decoded images that are kept in the home, how much room they take, and how to have it back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit, table
from bird_backend.runs.image_cache import CachedImages, free_cached, list_cached

__all__ = ["cache"]


def cache(
    free: Annotated[str | None, typer.Option(help="Remove those of a data set, by its name or key, or all.")] = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """List the decoded images that are kept, or remove them; they are decoded again when they are needed."""
    if free is None:
        there = list_cached()
        text = f"{_table(there)}\n{_total(there)} in all." if there else "No images are kept."
        emit([asdict(entry) for entry in there], text, as_json=json_)
        return
    freed = free_cached(free)
    emit({"freed": [asdict(entry) for entry in freed]}, f"{_total(freed)} freed.", as_json=json_)


def _table(entries: Sequence[CachedImages]) -> str:
    rows = [
        (
            entry.name,
            f"{entry.image_size}×{entry.image_size}",
            f"{entry.images:,}",
            f"{entry.bytes / 1e6:,.1f} MB",
            time.strftime("%Y-%m-%d", time.localtime(entry.created)),
            entry.key,
        )
        for entry in entries
    ]
    return table(rows, ("data set", "size", "images", "", "decoded", "key"))


def _total(entries: Sequence[CachedImages]) -> str:
    return f"{sum(entry.bytes for entry in entries) / 1e6:,.1f} MB"
