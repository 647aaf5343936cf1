"""Weights files of other programs: kept as they came, recognised by a light run, and found again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, get_args

from app.backend import data
from bird_backend import settings
from bird_backend.errors import InputError, is_plain
from bird_backend.experiments import load_spec
from bird_backend.runs import uploads
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.runs.torch_cache import find_cached, list_cached
from bird_backend.specs import IMAGENET_MEAN, IMAGENET_STD

__all__ = [
    "MAX_WEIGHTS_BYTES",
    "Conversion",
    "cached_weights",
    "convert",
    "convert_document",
    "keep_weights",
    "plain_name",
]

MAX_WEIGHTS_BYTES = settings.MAX_WEIGHTS_BYTES
NORMS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {"imagenet": (IMAGENET_MEAN, IMAGENET_STD)}
"""Mean and standard deviation of colours that images may have been normalised with, by name."""
_LONGEST_NAME = 60
_LONGEST_TITLE = 100


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The run that recognises a file, and what it found; none until it is done, or where it failed."""

    run: Run
    found: Mapping[str, Any] | None


def cached_weights() -> dict[str, str]:
    """Weights files that torch downloaded on this machine: path by name."""
    return {path.name: str(path) for path in list_cached()}


def keep_weights(content: BinaryIO) -> str:
    """Keep a file that was brought, unread; returns its name, 64 hex digits."""
    return uploads.keep_upload(content)


def convert_document(
    source: str, *, file: str = "", holds: str = "", trained: str = "", side: int = 0, norm: str = ""
) -> dict[str, Any]:
    """The spec's JSON document for a file that was kept, or that lies at a path; an `InputError` where it doesn't.

    `file` is what a person calls one that was kept. What she knows of it: the network that it `holds`, the data set it
    was `trained` on, the `side` of its images in pixels, and one of `NORMS`, how their colours were normalised.
    """
    document: dict[str, Any] = {"kind": "convert", "source": source}
    if uploads.UPLOAD.fullmatch(source):
        stem = PurePath(file).stem
        if name := plain_name(stem):
            document |= {"save_as": name, "title": stem[:_LONGEST_TITLE] if is_plain(stem) else name}
    elif settings.found(source) is None and find_cached(source) is None:
        raise InputError(f"There is no file {source} on the machine that runs this app.")
    said = {"model": holds, "data": trained, "image_size": side}
    document |= {name: value for name, value in said.items() if value}
    if norm in NORMS:
        document |= {name: list(values) for name, values in zip(("mean", "std"), NORMS[norm], strict=True)}
    return document


def convert(document: Mapping[str, Any], *, retry: bool = False) -> Conversion:
    """Ask what a file holds, once; `retry` asks again, where that failed or its weights were deleted since."""
    run = RunStore().find_same(load_spec(dict(document)), states=get_args(State))
    if run is None or (retry and not data.is_active(run)):
        return Conversion(run=data.submit(dict(document)), found=None)
    return Conversion(run=run, found=run.summary if run.state == "done" else None)


def plain_name(text: str) -> str:
    """What weights may be called, of what a file is called; empty where nothing of it is left."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_LONGEST_NAME].strip("-._")
    return plain if plain.isascii() and plain[:1].isalnum() else ""
