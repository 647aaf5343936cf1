"""Ways of transferring, in the order of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bird_backend.errors import UnknownNameError

__all__ = ["METHODS", "MethodFacts", "find_method"]


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """A way of transferring."""

    name: str
    title: str
    caption: str
    needs_teacher: bool
    """Looks at the teacher in every step."""
    matches_layers: bool = False
    """Compares layer pairs, so it has alpha, beta, pooling and pairs."""
    may_start_from_teacher: bool = False
    """Can begin with the teacher's weights and a new head."""
    needs_same_classes: bool = False
    """Compares outputs, so teacher and student have to tell the same classes apart."""
    trains: bool = True


METHODS: Mapping[str, MethodFacts] = {
    facts.name: facts
    for facts in (
        MethodFacts(
            name="none",
            title="None",
            caption="The pre-trained student, untouched: the floor.",
            needs_teacher=False,
            trains=False,
        ),
        MethodFacts(
            name="linear-probe",
            title="Linear probe",
            caption="A new linear head is trained, and nothing else moves.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="fine-tuning",
            title="Fine-tuning",
            caption="The student goes on training on its own clean data: what BIRD has to beat.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="lp-ft",
            title="LP-FT",
            caption="A linear probe first, then fine-tuning from it, so that a new head doesn't spoil the features.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="hints",
            title="Hints",
            caption="A learned linear map has to tell the teacher's features from the student's (FitNets).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="lwf-features",
            title="LwF, features",
            caption="Fine-tuning that keeps the head's input near where it began.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="lwf-logits",
            title="LwF, logits",
            caption="Fine-tuning that keeps what the old head says near what it said (learning without forgetting).",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="soft-labels",
            title="Soft labels",
            caption="The student follows the teacher's softened outputs; both have to tell the same classes apart.",
            needs_teacher=True,
            needs_same_classes=True,
        ),
        MethodFacts(
            name="bird",
            title="BIRD",
            caption="The task loss, and 1 − CKA between a teacher's guiding layer and the student's guided layer.",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="rkd",
            title="RKD",
            caption="Distances and angles within a batch are to be as the teacher's (relational distillation).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="sp",
            title="SP",
            caption="Images alike to the teacher are to be alike to the student (similarity-preserving).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="pkt",
            title="PKT",
            caption="Each image's neighbours are to be as probable as the teacher's (probabilistic transfer).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="oracle",
            title="Oracle",
            caption="The student trained on corrupted images directly: the ceiling.",
            needs_teacher=False,
        ),
    )
}


def find_method(name: str) -> MethodFacts:
    """The facts of a transfer method."""
    if name not in METHODS:
        raise UnknownNameError("method", name, METHODS)
    return METHODS[name]
