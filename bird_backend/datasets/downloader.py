"""One file from the network, whole and checked, or a sentence saying what to do instead."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bird_backend.datasets.dataset import Progress
from bird_backend.errors import RunError

__all__ = ["Archive", "fetch"]

_CHUNK = 2**18


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Where a file comes from, where it goes, and the MD5 its publisher gives for it."""

    url: str
    path: Path
    md5: str


def fetch(archive: Archive, progress: Progress, *, timeout: float = 30.0) -> None:
    """Download `archive` unless the right file is there already; nothing but the right file ever stands at its path.

    `timeout` is in seconds of silence. A `RunError` names the address, and where the file may be put by hand.
    """
    if archive.path.is_file() and _md5(archive.path) == archive.md5:
        return
    partial = archive.path.with_name(f".{archive.path.name}.{os.getpid()}.part")
    try:
        archive.path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            digest = _download(archive, file, progress, timeout)
        if digest != archive.md5:
            raise RunError(
                f"What {archive.url} sent has the MD5 sum {digest} where {archive.md5} was expected, "
                f"so it was thrown away; {_by_hand(archive)}"
            )
        partial.replace(archive.path)
    except OSError as error:
        raise RunError(f"{archive.path} can't be written: {error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _download(archive: Archive, file: BinaryIO, progress: Progress, timeout: float) -> str:
    request = urllib.request.Request(archive.url, headers={"User-Agent": "bird-explorer"})  # noqa: S310 - own table
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            total = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                share = min(received / total, 1.0) if total else 0.0
                progress(f"Downloading {archive.path.name}, {received / 1e6:.1f} MB", share)
        if received < total:
            raise http.client.IncompleteRead(b"", total - received)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        raise RunError(f"{archive.url} could not be downloaded ({_cause(error)}); {_by_hand(archive)}") from error
    return digest.hexdigest()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _cause(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection ended early"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _by_hand(archive: Archive) -> str:
    return f"if you can get the file another way, put it at {archive.path}."
