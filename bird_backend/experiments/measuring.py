"""How a run measures accuracy: where its corrupted images come from, and what it keeps of them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from bird_backend import settings
from bird_backend.datasets import Dataset
from bird_backend.evaluation import CorruptedSet, Corrupting, measure_accuracy, open_corrupted_set
from bird_backend.measures import Predictions
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import Evaluation

__all__ = ["Source", "choose_source", "measure"]

Source = Corrupting | CorruptedSet


def choose_source(evaluation: Evaluation, data: Dataset, *, seed: int) -> Source:
    """Where an evaluation's corrupted images come from.

    What can't be had is an `InputError` here, before anything is trained, rather than at the end.
    """
    if evaluation.corrupted_dir is not None:
        folder = settings.expanded(evaluation.corrupted_dir)
        return open_corrupted_set(folder, evaluation.corruptions, data.test.labels)
    textures = evaluation.frost_textures
    source = Corrupting(
        seed=seed,
        faithful=evaluation.faithful,
        frost_textures=None if textures is None else settings.expanded(textures),
    )
    source.check(evaluation.corruptions, data.train.images[:1])
    return source


def measure(
    models: Mapping[str, nn.Module],
    data: Dataset,
    evaluation: Evaluation,
    source: Source,
    writer: RunWriter,
    *,
    share: float = 0.13,
) -> Predictions:
    """What each network says of the test images, kept with some of their pictures."""
    writer.begin("Measuring accuracy under corruption", share)
    measured = measure_accuracy(
        models,
        data.test,
        corruptions=evaluation.corruptions,
        severities=evaluation.severities,
        source=source,
        limit=evaluation.limit,
        classes=data.classes,
        progress=writer.progress,
    )
    writer.save_arrays("predictions.npz", measured.predictions.arrays())
    if measured.examples is not None:
        writer.save_arrays("examples.npz", measured.examples.arrays())
    return measured.predictions
