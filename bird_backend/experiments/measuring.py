"""How a run measures accuracy: under what, on which images, and what it keeps of them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset
from bird_backend.evaluation import measure_accuracy
from bird_backend.experiments.declaration import MeasuredRunSpec
from bird_backend.measures import Predictions
from bird_backend.runs.writing import RunWriter

__all__ = ["measure", "open_trial"]


def open_trial(spec: MeasuredRunSpec, data: Dataset) -> Trial:
    """What the networks of a run are tried under.

    What can't be had is an `InputError` here, before anything is trained, rather than at the end.
    """
    return Trial.open(
        spec.behaviour,
        seed=spec.seed,
        labels=data.test.labels,
        image=data.train.take(slice(1)),
        within=data.within,
    )


def measure(
    models: Mapping[str, nn.Module],
    data: Dataset,
    spec: MeasuredRunSpec,
    trial: Trial,
    writer: RunWriter,
    *,
    share: float = 0.13,
) -> Predictions:
    """What each network says of the test images, kept with some of their pictures."""
    writer.begin(f"Measuring accuracy {trial.behaviour.words.under}", share)
    measured = measure_accuracy(
        models,
        data.test,
        trial=trial,
        limit=spec.evaluation.limit,
        classes=data.classes,
        progress=writer.progress,
    )
    writer.save_arrays("predictions.npz", measured.predictions.arrays())
    if measured.examples is not None:
        writer.save_arrays("examples.npz", measured.examples.arrays())
    return measured.predictions
