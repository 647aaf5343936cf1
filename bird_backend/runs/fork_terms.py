"""What a fork may change, and what it has in common with the run that it goes on from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.transfer import METHODS, MatchingSettings

__all__ = [
    "check_terms",
    "rows_that_count",
    "same_geometry",
    "same_method",
    "same_training",
    "with_known_settings",
]

_OF_ANY_METHOD = ("type", "step", "epoch", "task_loss", "lr", "images_per_s", "arm", "t")
"""What a row of a step says whatever the method: the other parts of a loss are that method's own."""


def check_terms(spec: TransferSpec, parent: TransferSpec, *, steps: int) -> None:
    """An `InputError` where a fork of `parent` can't be this; an epoch has `steps` steps.

    The checkpoint is of one student, and its step is a place among certain batches; neither may become another.
    """
    fork = spec.fork
    if fork is None:
        raise InputError("The spec has no fork.")
    for name, own, theirs in (
        ("data", spec.data, parent.data),
        ("image_size", spec.image_size, parent.image_size),
        ("student", spec.student.model_dump(), parent.student.model_dump()),
        ("seed", spec.seed, parent.seed),
        ("training.batch_size", spec.training.batch_size, parent.training.batch_size),
    ):
        if own != theirs:
            raise InputError(
                f"A fork keeps {name} as it is in the run that it goes on from, {fork.run}, for its step counts that"
                " run's batches; launch a run of its own to change it."
            )
    if spec.start != parent.start:
        raise InputError(
            f"The student of run {fork.run} began with the {parent.start}'s weights and is gone on with; a method that"
            f" begins with the {spec.start}'s can't be put in its place."
        )
    if not METHODS[spec.method.name].trains:
        raise InputError(f"{METHODS[spec.method.name].title} trains nothing, so there is nothing to go on with.")
    if fork.step >= steps * spec.training.epochs:
        raise InputError(
            f"Step {fork.step:,} is the end of {spec.training.epochs} epochs of {steps:,} steps; a fork there needs"
            f" more of them, such as training.epochs={fork.step // steps + 1}."
        )
    if len(spec.arms) > 1 and fork.twin is None and not same_training(parent, spec):
        raise InputError(
            f"Run {fork.run} keeps no fine-tuning of step {fork.step:,} to go on from under the new training settings,"
            " so there is nothing fair to compare with: set baseline=false, or keep training as it is."
        )


def same_training(parent: TransferSpec, spec: TransferSpec) -> bool:
    """Whether fine-tuning beside one is what it is beside the other."""
    own, theirs = (each.training.model_dump(exclude={"checkpoint_every"}) for each in (spec, parent))
    return own == theirs


def same_method(parent: TransferSpec, spec: TransferSpec) -> bool:
    """Whether the method has the same parameters of its own, weights of its losses and the like aside."""
    own, theirs = (
        {
            name: value
            for name, value in each.method.model_dump().items()
            if name != "pairs" and type(value) is not float
        }
        for each in (spec, parent)
    )
    return own == theirs and _layers(spec) == _layers(parent)


def same_geometry(parent: TransferSpec, spec: TransferSpec) -> bool:
    """Whether snapshots of both are of the same teacher, layers and images, so that one curve can go through them."""

    def drawn(each: TransferSpec) -> tuple[object, ...]:
        pair, method = each.drawn_pair, each.method
        return (
            each.teacher,
            each.control == "random-weights",
            None if pair is None else (pair.teacher, pair.student),
            method.pooling if isinstance(method, MatchingSettings) else "mean",
            each.snapshots.gram_images,
            each.snapshots.embedding_images,
        )

    return drawn(spec) == drawn(parent)


def rows_that_count(
    rows: Iterable[dict[str, Any]], theirs: str, own: str, spec: TransferSpec, parent: TransferSpec
) -> list[dict[str, Any]]:
    """Rows of the arm `theirs` up to the fork, as those of the arm `own`, without what means something else there.

    CKA is left out where it was of other layers, and parts of a loss where they were another method's.
    """
    step = spec.fork.step if spec.fork is not None else 0
    drawn, trained = same_geometry(parent, spec), own == theirs
    kept = []
    for row in rows:
        if row.get("arm") != theirs or row["step"] > step or (row["type"] == "snapshot" and not drawn):
            continue
        counts = {
            name: value
            for name, value in row.items()
            if row["type"] != "step" or ((trained or name in _OF_ANY_METHOD) and (drawn or name != "cka"))
        }
        kept.append({**counts, "arm": own})
    return kept


def with_known_settings(document: dict[str, Any], parent: TransferSpec) -> dict[str, Any]:
    """Where the method is another, without those settings of the parent's that it does not have."""
    method = document.get("method")
    if isinstance(method, str):
        method = {"name": method}
    if not isinstance(method, dict) or method.get("name") == parent.method.name or method.get("name") not in METHODS:
        return document
    known, inherited = METHODS[method["name"]].settings.model_fields, parent.method.model_dump(mode="json")
    pairs = {"pairs": inherited["pairs"]} if "pairs" in known and "pairs" in inherited else {}
    own = {name: value for name, value in method.items() if name in known or inherited.get(name, ...) != value}
    return document | {"method": pairs | own}


def _layers(spec: TransferSpec) -> list[tuple[str, str]]:
    return [(pair.teacher, pair.student) for pair in spec.pairs]
