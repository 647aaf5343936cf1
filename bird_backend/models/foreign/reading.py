"""A weights file of another program, opened in a child process: what comes back is a `.safetensors` file and a report.

The child runs `torch.load(weights_only=True)` or reads `.safetensors`, and is ended when it takes too much.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.runs.formats import refuse_other_formats
from bird_backend.runs.provenance import Provenance, TensorFacts, read_header
from bird_backend.stopping import check_stop

__all__ = ["Opened", "opened"]

_POLL_SECONDS = 0.1
_START_SECONDS = 60.0
"""For loading torch, which is before the child's own clock begins."""
_FOLD = 5
"""Of a file's size, what loading, widening half precision and writing take at most."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a foreign file holds. `path` is a `.safetensors` of all its tensors; it is gone after the `with`."""

    path: Path
    format: str
    """`torch` or `safetensors`."""
    tensors: Mapping[str, TensorFacts]
    mappings: tuple[str, ...]
    """The names, joined with dots, of the mappings that tensors lay in; the file's own is the empty one."""
    classes: tuple[str, ...]
    """Names of classes that were found beside the weights."""
    dtypes: Mapping[str, int]
    """How many tensors had each number format, in torch's words."""
    provenance: Provenance | None
    """Where this project wrote the file."""


@contextmanager
def opened(
    source: Path, *, subject: str, folder: Path | None = None, on_wait: Callable[[float], None] = lambda _: None
) -> Iterator[Opened]:
    """The file opened, with what it holds; one that can't be is an `InputError`.

    `subject` is what a sentence calls the file; what the child writes lies in `folder` for as long as the `with`
    lasts. `on_wait` is told the share of the time limit that is over.
    """
    size = _size(source, subject)
    refuse_other_formats(source, subject)
    with tempfile.TemporaryDirectory(dir=folder, prefix="opening-") as place:
        target = Path(place) / "opened.safetensors"
        told = _child(source, target, subject=subject, size=size, on_wait=on_wait)
        provenance = read_header(source).provenance if told["format"] == "safetensors" else None
        yield Opened(
            path=target,
            format=told["format"],
            tensors=read_header(target).tensors,
            mappings=tuple(told["mappings"]),
            classes=tuple(told["classes"]),
            dtypes=told["dtypes"],
            provenance=provenance,
        )


def _size(source: Path, subject: str) -> int:
    try:
        size, is_file = source.stat().st_size, source.is_file()
    except OSError as error:
        raise InputError(f"{subject} can't be read: {error.strerror}.") from error
    if not is_file:
        raise InputError(f"{subject} is a folder or device; weights are one file.")
    if size > settings.MAX_WEIGHTS_BYTES:
        sizes = f"{size / 2**30:.1f} GiB, at most {settings.MAX_WEIGHTS_BYTES / 2**30:.1f} are read"
        raise InputError(f"{subject} is too large: {sizes}.")
    return size


def _child(source: Path, target: Path, *, subject: str, size: int, on_wait: Callable[[float], None]) -> dict[str, Any]:
    memory = settings.READING_BYTES + _FOLD * size
    seconds = settings.READING_SECONDS
    limits = {"memory": memory, "seconds": seconds, "largest": settings.MAX_WEIGHTS_BYTES}
    # Nothing that a device's driver maps, nothing that threads reserve: what is left counts as the file's.
    quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MALLOC_ARENA_MAX": "1"}
    with (
        target.with_suffix(".json").open("w+b") as out,
        subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "bird_backend.models.foreign.child", str(source.resolve()), str(target)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=settings.CODE,
            env=os.environ | quiet,
        ) as process,
    ):
        try:
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):  # it ended already, as its code will say
                    process.stdin.write(json.dumps(limits).encode())
                    process.stdin.close()
            code = _wait(process, seconds, on_wait)
        finally:
            process.kill()
        out.seek(0)
        said = out.read()
    if code in (-signal.SIGALRM, -signal.SIGXCPU, None):
        raise InputError(f"{subject} takes more than {seconds:.0f} seconds to open, which is too long for weights.")
    if code != 0:
        raise InputError(f"{subject} could not be opened: it is damaged, or needs more than {memory / 2**30:.1f} GiB.")
    told: dict[str, Any] = json.loads(said)
    if "problem" in told:
        raise InputError(f"{subject} {told['problem']}.")
    return told


def _wait(process: subprocess.Popen[bytes], seconds: float, on_wait: Callable[[float], None]) -> int | None:
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds + _START_SECONDS:
        try:
            return process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            check_stop()
            on_wait(min(1.0, passed / seconds))
    return None
