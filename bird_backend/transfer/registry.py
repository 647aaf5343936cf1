"""Methods by name, and from a spec."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from bird_backend.specs import (
    BirdMethod,
    FeatureDriftMethod,
    FineTuningMethod,
    HintsMethod,
    LinearProbeMethod,
    LinearProbeThenFineTuningMethod,
    Method,
    OldHeadMethod,
    OracleMethod,
    ProbabilisticMethod,
    RelationalMethod,
    SimilarityPreservingMethod,
    SoftLabelsMethod,
    UntouchedMethod,
)
from bird_backend.training import Batch, TransferMethod
from bird_backend.transfer.bird import Bird
from bird_backend.transfer.fine_tuning import FineTuning, Oracle
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.hints import Hints
from bird_backend.transfer.linear_probe import LinearProbe, LinearProbeThenFineTuning
from bird_backend.transfer.probabilistic import Probabilistic
from bird_backend.transfer.relational import Relational
from bird_backend.transfer.similarity_preserving import SimilarityPreserving
from bird_backend.transfer.soft_labels import SoftLabels
from bird_backend.transfer.without_forgetting import FeatureDrift, OldHead

__all__ = ["METHODS", "build_method"]

METHODS: Mapping[str, type[TransferMethod]] = {
    method.name: method
    for method in (
        LinearProbe,
        FineTuning,
        LinearProbeThenFineTuning,
        Hints,
        FeatureDrift,
        OldHead,
        SoftLabels,
        Bird,
        Relational,
        SimilarityPreserving,
        Probabilistic,
        Oracle,
    )
}


def build_method(
    spec: Method,
    *,
    teacher: FrozenNetwork,
    origin: FrozenNetwork,
    student: nn.Module,
    classifier: str,
    sample: Batch,
    seed: int,
) -> TransferMethod:
    """The method a spec asks for, on the student's device; what it learns begins as `seed` draws it.

    `origin` is what the student began as, with the head it had then; `classifier` is the module path of the student's
    last linear layer; `sample` is a batch as those of the training. `none` trains nothing, so it is a `ValueError`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        method = _build(spec, teacher, origin, student, classifier, sample)
    return method.to(next(student.parameters()).device)


def _build(  # noqa: PLR0912 - one branch a method
    spec: Method, teacher: FrozenNetwork, origin: FrozenNetwork, student: nn.Module, classifier: str, sample: Batch
) -> TransferMethod:
    match spec:
        case UntouchedMethod():
            raise ValueError("the method none trains nothing")
        case LinearProbeMethod():
            return LinearProbe(classifier)
        case FineTuningMethod():
            return FineTuning()
        case LinearProbeThenFineTuningMethod():
            return LinearProbeThenFineTuning(spec, classifier)
        case HintsMethod():
            return Hints(spec, teacher, student, sample)
        case FeatureDriftMethod():
            return FeatureDrift(spec, origin, classifier)
        case OldHeadMethod():
            return OldHead(spec, origin, classifier)
        case SoftLabelsMethod():
            return SoftLabels(spec, teacher)
        case BirdMethod():
            return Bird(spec, teacher)
        case RelationalMethod():
            return Relational(spec, teacher)
        case SimilarityPreservingMethod():
            return SimilarityPreserving(spec, teacher)
        case ProbabilisticMethod():
            return Probabilistic(spec, teacher)
        case OracleMethod():
            return Oracle()
