"""The recorder: what a loop of one's own tells it becomes a run in the home, which the app shows as it comes.

A training never breaks because it can't be recorded: a full disk or a held table is a warning, and is tried again.
What is asked wrongly is an `InputError` at once.
"""

from __future__ import annotations

import os
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from torch import distributed, nn

from bird_backend.behaviours import USUAL, BehaviourField, BehaviourSettings
from bird_backend.behaviours.trial import Trial
from bird_backend.errors import BirdError, InputError, plain
from bird_backend.evaluation import measure_accuracy
from bird_backend.experiments import RecordSpec
from bird_backend.experiments.summary import summarise
from bird_backend.measures import Interval
from bird_backend.measures.figures import FIGURES, read_figure
from bird_backend.recording.drawing import Drawing
from bird_backend.recording.keeping import keep_student
from bird_backend.recording.pending import Number, Pending
from bird_backend.recording.rows import ARM, Rows
from bird_backend.recording.seeing import Seen, Transform, device_of, read_images
from bird_backend.runs.directory import locked
from bird_backend.runs.identity import code_version
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.reading import SnapshotName
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import Preprocessing
from bird_backend.transfer.bird.catching import bare

__all__ = ["Recording"]

_MOST_UNWRITTEN = 100_000
"""Rows that wait for a disk to have room again; the oldest go first."""


class Recording:
    """A run that is being written, from `with` to its end. Made by `record`."""

    def __init__(
        self,
        spec: RecordSpec,
        *,
        student: nn.Module | None,
        drawing: Drawing | None,
        transform: Transform | None,
        steps_per_epoch: int | None,
    ) -> None:
        self._spec = spec
        self._student = student
        self._drawing = drawing
        self._transform = transform
        self._rows = Rows(steps_per_epoch)
        self._pending = Pending()
        self._unwritten: list[dict[str, Any]] = []
        self._counts = {"rows": 0, "snapshots": 0}
        self._measured: dict[str, Any] = {}
        self._classes: tuple[str, ...] = () if drawing is None else drawing.classes
        self._image_size = 32 if drawing is None else drawing.image_size
        self._complained = False
        self._stack = ExitStack()
        self._writer: RunWriter | None = None

    @property
    def id(self) -> str | None:
        """The run's, as the command line and the app's addresses have it; none where this process records nothing."""
        return None if self._writer is None else self._writer.directory.path.name

    def __enter__(self) -> Recording:
        if not _is_first():
            return self
        device = "cpu" if self._student is None else str(device_of(self._student))
        store = RunStore()
        run = store.create(self._spec, state="running", device=device)
        if not self._stack.enter_context(locked(run.directory.lock)):
            raise InputError(f"Run {run.id} is held by another process.")
        store.set_process(run.id, ProcessMark.mine(), device=device)
        self._writer = RunWriter(run.directory)
        self._writer.begin("Training", 1.0)
        self._say(f"Recording {self._spec.name!r} of process {ProcessMark.mine().pid} on {device}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        with self._stack, self._forgiving():
            try:
                self._write(all_=True)
            finally:
                self._close(self._writer, error)

    def log(self, step: int, *, epoch: float | None = None, **values: Number) -> None:
        """Numbers of a step: floats, or tensors of one number, which are not waited for.

        The app draws each as a curve; those it knows are `task_loss`, `representation_loss`, `cka` of the batch, `lr`
        and `images_per_s`. `validation_accuracy` and `robust_accuracy`, shares of the `n` images they are over, make
        the row of an epoch. What is said of one step in several calls is one row.
        """
        if self._writer is None:
            return
        self._rows.check(step, values)
        if self._pending.add(step, values if epoch is None else {**values, "epoch": epoch}):
            with self._forgiving():
                self._write()

    def snapshot(self, step: int) -> None:
        """Draw the student's geometry as it is now: Gram matrix, embedding, and CKA with the teacher with its null.

        It costs a forward pass of the probes; the networks, their modes and their gradients are left as they were.
        """
        if self._writer is None:
            return
        if self._drawing is None:
            raise InputError("A snapshot needs record(…, student=…, teacher=…, layers=…, probes=…).")
        first = self._drawing.begin()
        drawn = self._drawing.draw()
        with self._forgiving():
            if first is not None:
                self._writer.save_arrays("probes.npz", first.probes)
                self._writer.save_arrays(SnapshotName("teacher", 0).file, first.teacher)
            if drawn is None:
                self._say(f"Step {step}: the student's features are not finite numbers, so there is no snapshot")
                return
            geometry, arrays = drawn
            self._writer.save_arrays(SnapshotName(ARM, step).file, arrays)
            self._counts["snapshots"] += 1
            values = {"cka": geometry.cka, "n": geometry.n, "null": geometry.null}
            self._unwritten += self._rows.of_snapshot(step, values, self._writer.seconds)
            self._write()

    def evaluate(
        self,
        images: Any,
        labels: Any,
        *,
        classes: Sequence[str] | None = None,
        behaviour: str | Mapping[str, Any] | BehaviourSettings = USUAL,
        beside: Mapping[str, nn.Module] | None = None,
        limit: int | None = None,
    ) -> dict[str, dict[str, Interval]]:
        """Measure the student on test images as they are and under every condition of a behaviour, for the tables.

        `behaviour` is a name or a spec's part, such as {"name": "corruptions", "conditions": ["fog"]}; networks of
        `beside`, best called `before` and `fine-tuning`, are measured on the very same images, so that the student's
        gain over them has an interval. Returns every figure by network, the student's under `model`, then by name.
        """
        if self._writer is None:
            return {}
        if self._student is None:
            raise InputError("There is no network to measure: record(…, student=…).")
        split, named = read_images(images, labels, classes, "evaluate")
        self._classes, self._image_size = named, split.images.shape[-1]
        settings = _behaviour(behaviour)
        device = device_of(self._student)
        split = split.to(device)
        trial = Trial.open(settings, seed=self._spec.seed, labels=split.labels, image=split.images[:1])
        others = {name: network for name, network in (beside or {}).items() if name != ARM}
        networks = {
            name: Seen(bare(network), self._transform) for name, network in {**others, ARM: self._student}.items()
        }
        found = measure_accuracy(networks, split, trial=trial, limit=limit, classes=named)
        with self._forgiving():
            self._writer.save_arrays("predictions.npz", found.predictions.arrays())
            if found.examples is not None:
                self._writer.save_arrays("examples.npz", found.examples.arrays())
        similarity = {} if self._drawing is None else self._drawing.similarities
        self._measured = summarise(found.predictions, after=ARM, recorded={ARM: similarity}, strengths=trial.strengths)
        return {
            model: {name: figure for name in FIGURES if (figure := read_figure(self._measured, model, name))}
            for model in found.predictions.models
        }

    def save_weights(
        self,
        model: str,
        *,
        data: str = "",
        classes: Sequence[str] | None = None,
        preprocessing: Preprocessing | None = None,
        name: str | None = None,
    ) -> str | None:
        """Keep the student's weights with the run (`bird export RUN --to weights`), best after it was evaluated.

        `model` is what a spec calls the network, `data` what it was trained on; classes and image size are those of the
        images that the recording has seen. With `preprocessing` it wants its images so, else normalised as ours are.
        With a `name` it is one of the home's checkpoints too, under the returned name: a taken one gets a number.
        """
        if self._writer is None:
            return None
        known = tuple(classes or self._classes)
        if self._student is None or not known:
            raise InputError("Weights to keep need record(…, student=…), and the classes that it tells apart.")
        return keep_student(
            self._writer,
            bare(self._student),
            spec=self._spec,
            measured=self._measured,
            model=model,
            classes=known,
            image_size=self._image_size,
            data=data or self._spec.name,
            preprocessing=preprocessing,
            name=name,
        )

    def _write(self, *, all_: bool = False) -> None:
        """What is pending, as rows; then how far the training is."""
        if self._writer is None:
            return
        began = time.monotonic()
        for step, values in self._pending.take(all_=all_):
            if lost := [name for name, value in values.items() if value is None]:
                self._say(f"Step {step}: {', '.join(lost)} is not a finite number")
            self._unwritten += self._rows.of_step(step, values, self._writer.seconds)
        try:
            self._writer.append(self._unwritten)
            self._counts["rows"] += len(self._unwritten)
            self._unwritten = []
            last, steps = self._rows.last_step, self._spec.steps
            self._writer.progress(min(1.0, last / steps) if steps else 0.0, detail=f"step {last:,}")
        finally:
            del self._unwritten[:-_MOST_UNWRITTEN]
            self._pending.wrote(began)

    def _close(self, writer: RunWriter, error: BaseException | None) -> None:
        store, run_id = RunStore(), writer.directory.path.name
        if error is not None:
            said = plain(next(iter(str(error).strip().splitlines()), "no message"))
            self._say("".join(traceback.format_exception(error)).rstrip())
            if isinstance(error, Exception):
                store.finish(run_id, "failed", reason=f"The training ended with {type(error).__name__}: {said}")
            else:
                how = "from the keyboard" if isinstance(error, KeyboardInterrupt) else f"by {type(error).__name__}"
                store.finish(run_id, "cancelled", reason=f"The training was stopped {how}.")
            return
        summary = {
            **self._measured,
            **self._counts,
            "last_step": self._rows.last_step,
            "cka_estimator": "debiased",
            "kind": self._spec.kind,
            "state": "done",
            "run": run_id,
            "data": None,
            "seed": self._spec.seed,
            "seconds": round(writer.seconds, 2),
            "code_version": code_version(),
        }
        writer.close(summary)
        store.finish(run_id, "done", summary=summary)

    def _say(self, text: str) -> None:
        if self._writer is None:
            return
        with self._forgiving(), self._writer.directory.log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S')}  {text}\n")

    @contextmanager
    def _forgiving(self) -> Any:
        """What goes wrong with the run's files is a warning, once, and the training goes on."""
        try:
            yield
        except (OSError, BirdError) as error:
            if not self._complained:
                self._complained = True
                warnings.warn(f"The training goes on, but recording it met a trouble: {error}", stacklevel=4)


def _is_first() -> bool:
    """Whether this is the one process of its training, or the one of rank 0."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    # Launchers say the rank before anyone has asked torch to meet the others.
    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK"))


def _behaviour(asked: str | Mapping[str, Any] | BehaviourSettings) -> BehaviourSettings:
    try:
        found: BehaviourSettings = TypeAdapter(BehaviourField).validate_python(asked)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in ("behaviour", *first["loc"]))
        raise InputError(f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}.") from None
    return found
