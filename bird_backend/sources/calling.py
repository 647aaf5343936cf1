"""Calls a factory of one's own code: its prints go to the log, it has a minute, and what it raises becomes a sentence.

This is the only place that executes code of the person's, and it does so in the process of a run.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from torch import nn

from bird_backend import settings
from bird_backend.errors import InputError, closest
from bird_backend.models.discovery import declare_layouts
from bird_backend.sources.contract import examine_own

__all__ = ["Factory", "make_network"]

_log = logging.getLogger("bird")
_MOST_LINES = 200
_MOST_WORDS = 300


@dataclass(frozen=True, kw_only=True)
class Factory:
    """What makes a network: `name` in the module that `load` gives, which is in `file`."""

    load: Callable[[], ModuleType]
    file: Path
    name: str

    @property
    def words(self) -> str:
        """How a sentence begins: `make in net.py`."""
        return f"{self.name} in {self.file.name}"


class _TooLong(BaseException):
    """The time is over."""


def make_network(factory: Factory, classes: int, image_size: int) -> nn.Module:
    """The network that the factory makes, its layers traced; anything wrong with it is an `InputError`."""
    with _logged(factory), _in_time(factory):
        with _blamed(factory, f"Importing {factory.file.name}", "it has to be importable by itself"):
            module = factory.load()
        make = _find(module, factory)
        arguments = _arguments(make, factory, classes, image_size)
        right = "it has to return a torch.nn.Module"
        with _blamed(factory, f"{factory.words}, called with {_words(arguments)},", right):
            model = make(**arguments)
        if not isinstance(model, nn.Module):
            given = f"the class {model.__name__} itself" if isinstance(model, type) else type(model).__name__
            raise InputError(f"{factory.words}{_line(make)} returned {given}; {right}.")
        model.train()
        if not any(parameter.is_meta for parameter in model.parameters()):
            right, given = f"it has to return logits [3, {classes}]", f"images [3, 3, {image_size}, {image_size}]"
            with _blamed(factory, f"The network of {factory.words}, given {given},", right):
                layers = examine_own(model, f"{factory.words}{_line(make)}", classes, image_size)
            declare_layouts(model, layers)
    return model


def _find(module: ModuleType, factory: Factory) -> Callable[..., Any]:
    make = getattr(module, factory.name, None)
    if make is None:
        own = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        near = closest(factory.name, own) or own[:5]
        hint = f"it has {', '.join(near)}" if near else "it has no function or class at all"
        raise InputError(f"{factory.file.name} has no {factory.name}; {hint}.")
    if not callable(make):
        raise InputError(
            f"{factory.name} in {factory.file.name} is {type(make).__name__}, not a function or class that makes a"
            " torch.nn.Module."
        )
    found: Callable[..., Any] = make
    return found


def _arguments(make: Callable[..., Any], factory: Factory, classes: int, image_size: int) -> dict[str, int]:
    """`classes`, which it has to take, and `image_size`, if it takes it."""
    try:
        taken = inspect.signature(make).parameters
    except (TypeError, ValueError):
        return {"classes": classes}
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
    offered = {"classes": classes, "image_size": image_size}
    arguments = {name: value for name, value in offered.items() if name in taken or anything}
    if "classes" not in arguments:
        raise InputError(
            f"{factory.words}{_line(make)} takes ({', '.join(taken)}); it has to take `classes`, the number of classes,"
            " and may take `image_size`."
        )
    return arguments


@contextlib.contextmanager
def _blamed(factory: Factory, what: str, right: str) -> Iterator[None]:
    """What is raised inside, as a sentence that names the last line of the person's own that it went through."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        _log.info("%s", traceback.format_exc())
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        said = " ".join(message.split())[:_MOST_WORDS] or "without a message"
        kind = f"{type(error).__name__}{_where(error, factory)}"
        raise InputError(f"{what} raised {kind} ({said.rstrip('.')}); {right}.") from error


def _where(error: BaseException, factory: Factory) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f" in {Path(error.filename).name} line {error.lineno}"
    folder = str(factory.file.parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folder)]
    return f" in {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""


def _line(make: Callable[..., Any]) -> str:
    with contextlib.suppress(OSError, TypeError):
        return f" (line {inspect.getsourcelines(make)[1]})"
    return ""


def _words(arguments: dict[str, int]) -> str:
    return " and ".join(f"{name}={value}" for name, value in arguments.items())


@contextlib.contextmanager
def _in_time(factory: Factory) -> Iterator[None]:
    """An `InputError` once the time is over. Only a process's first thread can be interrupted; another one waits."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLong

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, end)
    left, every = signal.setitimer(signal.ITIMER_REAL, settings.NETWORK_SECONDS)
    try:
        yield
    except _TooLong:
        raise InputError(
            f"{factory.words} took more than {settings.NETWORK_SECONDS:.0f} seconds to make a network and look at three"
            " images, and was stopped; load and compute elsewhere what takes so long."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # someone else's alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), every)


@contextlib.contextmanager
def _logged(factory: Factory) -> Iterator[None]:
    """What is printed inside goes to the log, line by line."""
    lines = _Lines(factory)
    try:
        with contextlib.redirect_stdout(lines):
            yield
    finally:
        lines.flush_rest()


class _Lines(io.TextIOBase):
    def __init__(self, factory: Factory) -> None:
        super().__init__()
        self._factory, self._rest, self._count = factory, "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._rest = f"{self._rest}{text}"[-100_000:].split("\n")
        for line in whole:
            self._say(line)
        return len(text)

    def flush_rest(self) -> None:
        if self._rest:
            self._say(self._rest)

    def _say(self, line: str) -> None:
        self._count += 1
        if self._count <= _MOST_LINES:
            _log.info("%s prints: %s", self._factory.words, line)
