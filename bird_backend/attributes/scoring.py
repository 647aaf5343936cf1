"""Scores of a teacher's layer for a student's guided layer, each with its interval, out of their profiles."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from bird_backend.attributes.geometry import alike, effective_dimension, from_influences
from bird_backend.attributes.knowledge import complementary_knowledge, probe_accuracy
from bird_backend.attributes.profile import LayerProfile
from bird_backend.attributes.usefulness import usefulness
from bird_backend.measures import Interval
from bird_backend.similarity import cka_null

__all__ = ["Scores", "score_layer", "score_pair"]

Scores = Mapping[tuple[str, str], Interval]
"""By attribute and option, in the words of `measures.attributes`."""

_SHUFFLES = 3


def score_layer(profile: LayerProfile, labels: Tensor, *, seed: int = 0) -> Scores:
    """What depends on the layer alone, of held-out images with `labels` [n]; bootstraps draw by `seed`."""
    useful = usefulness(profile.responses, labels, profile.probe.scale, importance=profile.importance, seed=seed)
    return {
        ("probe_accuracy", ""): probe_accuracy(profile.predicted.cpu().numpy(), labels.cpu().numpy()),
        **{("usefulness", f"{reduce}_{how}"): interval for (reduce, how), interval in useful.items()},
        ("effective_dimension", ""): effective_dimension(profile.responses.clean),
        ("representation_stability", ""): from_influences(profile.stability, profile.stability_influence),
        ("parameters", ""): Interval.of_number(float(profile.parameters), 0),
    }


def score_pair(teacher: LayerProfile, student: LayerProfile, labels: Tensor) -> Scores:
    """What depends on the student's guided layer too."""
    X, Y = teacher.responses.clean, student.responses.clean
    answers = (answer.cpu().numpy() for answer in (teacher.predicted, student.predicted, labels))
    return {
        ("complementary_knowledge", ""): complementary_knowledge(*answers),
        ("cka", ""): alike(X, Y),
        ("cka", "shuffled"): Interval.of_number(cka_null(X, Y, shuffles=_SHUFFLES), len(X)),
    }
