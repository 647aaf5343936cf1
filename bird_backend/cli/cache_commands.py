"""`cache`: what is kept in the home because it took long to make, how much room it takes, and how to have it back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit, table
from bird_backend.errors import UnknownNameError
from bird_backend.runs.feature_cache import KeptFeatures, free_features, list_features
from bird_backend.runs.image_cache import CachedImages, free_cached, list_cached

__all__ = ["cache"]

_Entry = CachedImages | KeptFeatures


def cache(
    free: Annotated[
        str | None, typer.Option(help="Remove what is of a data set, by its name, or one entry by its key, or all.")
    ] = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """List decoded images, changed images and features that are kept, or remove them; they are made again at need."""
    there: list[_Entry] = [*list_cached(), *list_features()]
    if free is None:
        text = f"{_table(there)}\n{_total(there)} in all." if there else "Nothing is kept."
        emit([_describe(entry) for entry in there], text, as_json=json_)
        return
    if free != "all" and not any(free in (entry.name, entry.key) for entry in there):
        raise UnknownNameError("data set in the cache", free, [*dict.fromkeys(entry.name for entry in there), "all"])
    images = free == "all" or any(free in (entry.name, entry.key) for entry in list_cached())
    freed: list[_Entry] = [*(free_cached(free) if images else ()), *free_features(free)]
    emit({"freed": [_describe(entry) for entry in freed]}, f"{_total(freed)} freed.", as_json=json_)


def _describe(entry: _Entry) -> dict[str, object]:
    return {"part": _part(entry), **asdict(entry)}


def _part(entry: _Entry) -> str:
    return "images" if isinstance(entry, CachedImages) else entry.part


_PARTS = {"images": "decoded images", "changed": "changed images", "features": "features"}


def _table(entries: Sequence[_Entry]) -> str:
    rows = [
        (
            _PARTS[_part(entry)],
            entry.name,
            f"{entry.image_size}×{entry.image_size}" if isinstance(entry, CachedImages) else entry.network,
            f"{entry.images:,}",
            f"{entry.bytes / 1e6:,.1f} MB",
            time.strftime("%Y-%m-%d", time.localtime(entry.created)),
            entry.key,
        )
        for entry in entries
    ]
    return table(rows, ("", "data set", "size or network", "images", "", "made", "key"))


def _total(entries: Sequence[_Entry]) -> str:
    return f"{sum(entry.bytes for entry in entries) / 1e6:,.1f} MB"
