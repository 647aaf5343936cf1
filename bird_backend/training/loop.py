"""The training loop: every job that trains goes through `train`, and neither methods, tasks nor kinds of data are
known here by name.

A step waits for nothing from the device: losses stay there until half a second has passed, and are then read together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from bird_backend.errors import Cancelled, InputError, RunError
from bird_backend.seeds import derive_seed
from bird_backend.specs import Training
from bird_backend.training.checkpoint import Checkpoint, Origin, begin_from, load_checkpoint, save_checkpoint
from bird_backend.training.device import autocast
from bird_backend.training.method import TransferMethod
from bird_backend.training.optimiser import build_optimiser, set_learning_rate
from bird_backend.training.order import Order
from bird_backend.training.source import Source
from bird_backend.training.task import Task

__all__ = ["Observer", "steps_of", "train"]

_READ_SECONDS = 0.5


class Observer(Protocol):
    """Who watches a training run. Called between steps; none of it may change the model."""

    @property
    def metrics_size(self) -> int: ...
    def rows(self, rows: list[dict[str, Any]]) -> None: ...
    def resumed(self, step: int, total: int) -> None: ...
    def forked(self, step: int, total: int) -> None: ...
    def progress(self, step: int, total: int) -> None: ...
    def step_done(self, step: int, total: int) -> None: ...
    def epoch_done(self, epoch: int, step: int) -> None: ...
    def keep(self, step: int, total: int, write: Callable[[Path], None]) -> None: ...


def steps_of(images: int, training: Training) -> int:
    """Steps of a whole run: ragged last batches are dropped, since they inflate biased CKA."""
    if training.batch_size > images:
        raise InputError(
            f"A batch of {training.batch_size} is larger than the {images} training images; make it {images} or less."
        )
    return training.epochs * (images // training.batch_size)


def train(
    student: nn.Module,
    method: TransferMethod,
    source: Source,
    training: Training,
    *,
    task: Task,
    seed: int,
    observer: Observer,
    checkpoint: Path,
    origin: Origin | None = None,
) -> None:
    """Minimise `method` of `task` on what `source` gives, in place; goes on from `checkpoint` where that exists.

    Without one it begins with another run's, `origin`, where there is that, at the step that it was taken after:
    batches and learning rate are from there what they would be had this training come so far by itself.
    `student`, `method` and `source` are on one device. Raises `RunError` where the loss stops being a number, leaving
    the last good checkpoint.
    """
    device = source.device
    total = steps_of(len(source), training)
    per_epoch = total // training.epochs
    generator, cpu_generator = torch.Generator(device), torch.Generator()

    student.train()
    method.train()
    if origin is None and not checkpoint.exists():
        # Before the optimiser, whose first use makes torch import its compiler for two seconds.
        observer.step_done(0, total)
    optimiser = build_optimiser(student, method, training)
    start = 0
    if (found := load_checkpoint(checkpoint, model=student, method=method, optimiser=optimiser)) is not None:
        start = found.step
        observer.resumed(start, total)

    def save(step: int, path: Path = checkpoint, *, durable: bool = True) -> None:
        state = Checkpoint(step=step, metrics_size=observer.metrics_size)
        save_checkpoint(path, state, model=student, method=method, optimiser=optimiser, durable=durable)

    if found is None and origin is not None:
        start = begin_from(origin, model=student, method=method, optimiser=optimiser)
        observer.forked(start, total)
        save(start)

    pending = _Pending(observer, training, per_epoch, start)
    order = Order(len(source), training.batch_size, seed=seed)
    for step in range(start, total):
        draw = derive_seed(seed, "step", step)
        generator.manual_seed(draw)
        cpu_generator.manual_seed(draw)
        torch.manual_seed(draw)  # dropout draws from the global generator
        batch = source.batch(
            order.rows(step),
            generator=generator,
            cpu_generator=cpu_generator,
            student=student,
            progress=step / total,
        )
        if step + 1 < total:
            source.expect(order.rows(step + 1))

        rate = training.rate(step, total)
        set_learning_rate(optimiser, rate)
        with autocast(device, training.precision):
            parts = method.losses(student, batch, task)
        optimiser.zero_grad(set_to_none=True)
        parts["loss"].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        pending.add(step + 1, parts, rate)

        done = step + 1
        ends_epoch = done % per_epoch == 0
        saves = done % training.checkpoint_every == 0 or done == total
        reads = ends_epoch or saves or pending.due()
        if reads:
            pending.read()
        with pending.paused():
            if ends_epoch:
                observer.epoch_done(done // per_epoch, done)
            observer.step_done(done, total)
            if saves:
                save(done)
            observer.keep(done, total, partial(save, done, durable=False))
        if reads:
            try:
                observer.progress(done, total)
            except Cancelled:
                save(done)
                raise


class _Pending:
    """Loss parts still on the device, and the clock that says when to fetch them."""

    def __init__(self, observer: Observer, training: Training, per_epoch: int, start: int) -> None:
        self._observer = observer
        self._training = training
        self._per_epoch = per_epoch
        self._read_to = start
        self._steps: list[tuple[int, float]] = []
        self._values: list[Tensor] = []
        self._names: tuple[str, ...] = ()
        self._since = time.monotonic()
        self._idle = 0.0

    def add(self, step: int, parts: dict[str, Tensor], rate: float) -> None:
        self._names = tuple(parts)
        self._steps.append((step, rate))
        self._values.append(torch.stack([part.detach().float() for part in parts.values()]))

    def due(self) -> bool:
        return time.monotonic() - self._since >= _READ_SECONDS

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time spent inside does not count against images a second."""
        began = time.monotonic()
        yield
        self._idle += time.monotonic() - began

    def read(self) -> None:
        """One transfer for everything since the last; a loss that is not finite ends the run."""
        if not self._steps:
            return
        values = torch.stack(self._values).tolist()
        now = time.monotonic()
        busy = max(now - self._since - self._idle, 1e-6)
        speed = len(self._steps) * self._training.batch_size / busy
        rows: list[dict[str, Any]] = []
        broken: RunError | None = None
        for (step, rate), row in zip(self._steps, values, strict=True):
            parts = dict(zip(self._names, row, strict=True))
            if not all(math.isfinite(value) for value in row):
                names = ", ".join(name for name, value in parts.items() if not math.isfinite(value))
                broken = RunError(
                    f"Training broke at step {step}: {names} is not a finite number;"
                    f" try a learning rate below {self._training.lr:g}."
                )
                break
            del parts["loss"]
            rows.append(
                {
                    "type": "step",
                    "step": step,
                    "epoch": step / self._per_epoch,
                    **parts,
                    "lr": rate,
                    "images_per_s": round(speed, 1),
                }
            )
        self._steps, self._values, self._idle, self._since = [], [], 0.0, now
        self._observer.rows(rows)
        if broken is not None:
            raise broken
