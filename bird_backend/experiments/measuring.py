"""How a run measures accuracy: under what, on which images, and what it keeps of them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, MutableMapping
from typing import Any

from torch import Tensor, nn

from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset
from bird_backend.evaluation import Said, measure_accuracy
from bird_backend.experiments import EvaluateSpec
from bird_backend.experiments.declaration import MeasuredRunSpec
from bird_backend.experiments.work import Work
from bird_backend.measures import Cell, Predictions
from bird_backend.runs.identity import identify
from bird_backend.specs import ModelRef

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
    work: Work,
    *,
    share: float = 0.13,
    untouched: Mapping[str, ModelRef] | None = None,
) -> Predictions:
    """What each network says of the test images, kept with some of their pictures.

    `untouched` are those of `models` that are as their weights have them, so that runs may share what they say.
    """
    work.writer.begin(f"Measuring accuracy {trial.behaviour.words.under}", share)
    keys = {name: _identity(spec, ref, work) for name, ref in (untouched or {}).items()}
    found = {name: work.shared.find(key) for name, key in keys.items()}
    measured = measure_accuracy(
        models,
        data.test,
        trial=trial,
        limit=spec.evaluation.limit,
        classes=data.classes,
        progress=work.writer.progress,
        known={name: said for name, said in found.items() if said is not None},
        changed=_changed(data, spec, trial, work),
    )
    predictions = measured.predictions
    for name, key in keys.items():
        said = Said(predicted=predictions.predicted[name], confidence=predictions.confidence[name])
        work.shared.keep(key, said, said.nbytes)
    work.writer.save_arrays("predictions.npz", predictions.arrays())
    if measured.examples is not None:
        work.writer.save_arrays("examples.npz", measured.examples.arrays())
    return predictions


def _identity(spec: MeasuredRunSpec, ref: ModelRef, work: Work) -> Hashable:
    """All that a network's answers depend on, as if it had been measured by itself."""
    return "answers", identify(EvaluateSpec(**_asked(spec), model=ref)).digest, str(work.device)


def _asked(spec: MeasuredRunSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in MeasuredRunSpec.model_fields if name != "kind"}


def _changed(
    data: Dataset, spec: MeasuredRunSpec, trial: Trial, work: Work
) -> MutableMapping[tuple[Cell, int], Tensor] | None:
    """Test images that an earlier run changed; none where none are kept, or they depend on the network."""
    n = min(spec.evaluation.limit or len(data.test), len(data.test))
    size = len(trial.cells) * n * math.prod(data.test.images.shape[1:])
    if trial.attacks or size > work.shared.limit // 2:
        return None
    key = "changed images", identify(MeasuredRunSpec(kind="measure", **_asked(spec))).digest, str(work.device)
    return work.shared.take(key, dict, lambda _: size)
