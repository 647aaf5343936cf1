"""One training loop of a run, a transfer's arm or the only one, as its readers see it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from bird_backend.behaviours import BehaviourSettings
from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset
from bird_backend.evaluation import Snapshotter, measure_accuracy
from bird_backend.measures import Interval, by_group, wilson
from bird_backend.runs.kept import forget_after, keep
from bird_backend.runs.reading import MetricsTail, SnapshotName, snapshots
from bird_backend.runs.writing import RunWriter
from bird_backend.training import where_taken

__all__ = ["Arm", "is_due", "rewind"]

_ROBUST_SAMPLE = 200
"""Validation images behind the small robust estimate of each epoch."""
_ROBUST_STRENGTH = 3

_log = logging.getLogger("bird")


class Arm:
    """Watches one training loop for the run's writer: metrics rows, each epoch's estimates, evenly spaced snapshots."""

    def __init__(
        self,
        name: str,
        model: nn.Module,
        data: Dataset,
        writer: RunWriter,
        *,
        settings: BehaviourSettings,
        snapshotter: Snapshotter | None = None,
        snapshots: int = 0,
    ) -> None:
        self.name = name
        self._model = model
        self._data = data
        self._writer = writer
        self._clean, self._glance = _glances(settings)
        self._snapshotter = snapshotter
        self._snapshots = snapshots
        self._speeds: list[float] = []

    @property
    def checkpoint(self) -> Path:
        """What the arm resumes from."""
        return _checkpoint(self._writer, self.name)

    @property
    def images_per_second(self) -> float:
        """The median over the run."""
        return round(float(torch.tensor(self._speeds).median()), 1) if self._speeds else 0.0

    def validation(self) -> dict[str, Interval]:
        """The figures of validation by name, of every epoch of the arm, those before it was resumed among them."""
        rows = [row for row in MetricsTail(self._writer.directory.metrics).read() if row.get("arm") == self.name]
        epochs = [row for row in rows if row["type"] == "epoch"]
        clean = [row for row in epochs if row["validation_accuracy"] is not None]
        robust = [row for row in epochs if row["robust_accuracy"] is not None]
        found = {}
        if clean:
            best = max(clean, key=lambda row: row["validation_accuracy"])
            for name, row in (("validation", clean[-1]), ("validation_best", best)):
                found[name] = wilson(row["validation_accuracy"] * row["n"], row["n"])
        if robust:
            found["validation_robust"] = Interval.of_number(robust[-1]["robust_accuracy"], robust[-1]["robust_n"])
        return found

    @property
    def metrics_size(self) -> int:
        return self._writer.metrics_size

    def rows(self, rows: list[dict[str, Any]]) -> None:
        self._speeds += [row["images_per_s"] for row in rows]
        self._append(rows)

    def resumed(self, step: int, total: int) -> None:
        self._writer.skip_to(step / total)

    def forked(self, step: int, total: int) -> None:
        """Begin with the rows of the run that this one goes on from, and a snapshot where that drew other layers."""
        self._writer.append(MetricsTail(self._writer.directory.fork / f"{self.name}.jsonl").read())
        self._writer.skip_to(step / total)
        if not any(name.model == self.name for name in snapshots(self._writer.directory)):
            self._draw(step)

    def keep(self, step: int, total: int, write: Callable[[Path], None]) -> None:
        """Keep a checkpoint at each snapshot. The last is not among them: it is what the run resumes from."""
        if self._snapshotter is None or step == total or not is_due(step, total, self._snapshots):
            return
        try:
            keep(self._writer.directory, self.name, step, write)
        except (OSError, SafetensorError) as error:
            _log.warning("The checkpoint of step %d could not be kept to fork from: %s", step, error)

    def progress(self, step: int, total: int) -> None:
        self._writer.progress(step / total)

    def step_done(self, step: int, total: int) -> None:
        if is_due(step, total, self._snapshots):
            self._draw(step)

    def _draw(self, step: int) -> None:
        drawn = None if self._snapshotter is None else self._snapshotter.draw(self._model)
        if drawn is None:
            return  # the losses of this step say so too, and are about to be read
        geometry, arrays = drawn
        self._writer.save_arrays(SnapshotName(self.name, step).file, arrays)
        self._append([{"type": "snapshot", "step": step, "cka": geometry.cka, "n": geometry.n, "null": geometry.null}])

    def epoch_done(self, epoch: int, step: int) -> None:
        validation, model = self._data.validation, {"m": self._model}
        clean = measure_accuracy(model, validation, trial=self._clean).predictions
        robust = measure_accuracy(model, validation, trial=self._glance, limit=_ROBUST_SAMPLE).predictions
        accuracy, estimate = by_group(clean, "m", "clean"), by_group(robust, "m", "robust")
        self._append(
            [
                {
                    "type": "epoch",
                    "epoch": epoch,
                    "step": step,
                    "validation_accuracy": accuracy.value if accuracy else None,
                    "robust_accuracy": estimate.value if estimate else None,
                    "n": clean.n,
                    "robust_n": robust.n,
                }
            ]
        )

    def _append(self, rows: list[dict[str, Any]]) -> None:
        seconds = round(self._writer.seconds, 2)
        self._writer.append([{**row, "arm": self.name, "t": seconds} for row in rows])


def rewind(writer: RunWriter, arms: Sequence[str]) -> None:
    """Before the first of a run's arms: take back every row since the last checkpoint, or all where there is none.

    Arms train one after the other, so the last one that has a checkpoint is where the run goes on; what is finished
    before it keeps its rows.
    """
    found = {name: where_taken(_checkpoint(writer, name)) for name in arms}
    writer.truncate_metrics(max((each.metrics_size for each in found.values() if each is not None), default=0))
    for name, each in found.items():
        forget_after(writer.directory, name, 0 if each is None else each.step)


def _checkpoint(writer: RunWriter, arm: str) -> Path:
    return writer.directory.checkpoint / f"{arm}.safetensors"


def is_due(step: int, total: int, count: int) -> bool:
    """Whether `step` is one of `count` evenly spaced ones from 0 to `total`, both included."""
    before = (step - 1) * (count - 1) // total if step else -1
    return step * (count - 1) // total > before


def _glances(settings: BehaviourSettings) -> tuple[Trial, Trial]:
    """Clean images; and what the small robust estimate is over, always changed on the fly with the same noise."""
    behaviour = settings.behaviour
    # A setting is chosen by the estimate, so what is held out is no part of it.
    seen = [name for name in settings.conditions if name in behaviour.seen]
    names = [name for name in seen if name in behaviour.glance] or seen
    usual = behaviour.settings.model_validate({"name": behaviour.name, "conditions": ()})
    few = usual.model_copy(update={"conditions": tuple(names), "strengths": (_ROBUST_STRENGTH,)})
    return Trial(settings=usual, seed=0), Trial(settings=few, seed=0)
