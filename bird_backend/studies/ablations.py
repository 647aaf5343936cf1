"""Ablations: one transfer in which one thing is varied, all else and the budget alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.provenance import find_weights, list_weights, read_provenance
from bird_backend.specs import ModelRef
from bird_backend.studies.layer_pairs import counterpart, every_pair, spread_pairs
from bird_backend.studies.plan import plan_of, seeds_from
from bird_backend.studies.study import Plan, Variant
from bird_backend.transfer import METHODS, MatchingSettings, reference_method
from bird_backend.transfer.bird import BirdSettings

__all__ = ["ABLATIONS", "Ablation", "plan_ablation"]


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """What is varied, and what has to be said of it."""

    title: str
    axis: str
    """Names the values in a chart."""
    note: str


ABLATIONS: Mapping[str, Ablation] = {
    "batch-size": Ablation(
        title="Batch size",
        axis="images in a batch",
        note="Each batch size sees the same images as often, so a smaller one takes more steps; the learning rate is "
        "the same. Its gain is over fine-tuning with the same batch.",
    ),
    "kernel": Ablation(title="Kernel", axis="kernel of the CKA", note="The kernel is that of the loss."),
    "estimator": Ablation(
        title="Estimator",
        axis="estimator of the CKA",
        note="The estimator is that of the loss; the CKA in the table is debiased for both.",
    ),
    "beta": Ablation(
        title="Beta", axis="beta", note="The weight of the method's own loss is varied around the method's usual one."
    ),
    "layers": Ablation(
        title="Layer pair",
        axis="guiding → guided layer",
        note="CKA is at each row's own layers, so rows are not comparable in it.",
    ),
    "every-layer": Ablation(
        title="Every layer pair",
        axis="guiding → guided layer",
        note="CKA is at each row's own layers, so rows are not comparable in it.",
    ),
    "teacher": Ablation(
        title="Teacher",
        axis="teacher",
        note="CKA is with each row's own teacher, so rows are not comparable in it.",
    ),
}
"""Presets by name."""

_BATCHES = (32, 64, 128, 256)
_BETAS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
"""For methods whose two weights usually add up to one."""
_TIMES_USUAL = (0.1, 0.3, 1.0, 3.0, 10.0)
"""For all others, each of which measures its own loss on a scale of its own."""


def plan_ablation(base: TransferSpec, preset: str, *, seeds: int = 3, teachers: Sequence[str] = ()) -> Plan:
    """The runs of an ablation at `seeds` seeds from the base's own on, and fine-tuning for its gains to be over.

    `teachers` are weights by name or path, for the preset `teacher`; none: all that are known as robust teachers.
    Anything that can't be is an `InputError` of one sentence.
    """
    if preset not in ABLATIONS:
        raise UnknownNameError("ablation", preset, ABLATIONS)
    if not METHODS[base.method.name].has_twin:
        raise InputError(f"An ablation compares with fine-tuning, so it is of another method than {_title(base)}.")
    ablation = ABLATIONS[preset]
    axis, note = ablation.axis, ablation.note
    numbers = seeds_from(base, seeds)
    if teachers and preset != "teacher":
        raise InputError(f"Teachers are for the ablation teacher, not for {preset}.")
    match preset:
        case "batch-size":
            variants = _batch_sizes(base)
        case "teacher":
            variants = _teachers(base, teachers)
        case "beta":
            settings, axis, note = _betas(base)
            variants = _method_settings(base, preset, settings)
        case "layers" | "every-layer":
            settings, told = _layers(base, preset)
            variants, note = _method_settings(base, preset, settings), f"{note} {told}"
        case _:
            variants = _method_settings(base, preset, _settings(base, preset))
    return plan_of(base, variants, numbers, preset=preset, called=ablation.title, axis=axis, notes=(note,))


def _batch_sizes(base: TransferSpec) -> list[Variant]:
    variants = []
    for size in _BATCHES:
        training = {"training": base.training.model_dump(mode="json") | {"batch_size": size}}
        reference = _fine_tuning(base, key=f"fine-tuning-{size}", label=f"Fine-tuning, batch {size}", more=training)
        method = base.method.model_dump(mode="json")
        label = f"{_title(base)}, batch {size}"
        variants += [reference, _variant(base, f"batch-{size}", label, size, method, over=reference.key, more=training)]
    return variants


_Settings = list[tuple[str, float | str, dict[str, Any]]]
"""Label, value and the method's changed settings."""


def _method_settings(base: TransferSpec, preset: str, settings: _Settings) -> list[Variant]:
    variants = [_fine_tuning(base)]
    for label, value, changes in settings:
        method = base.method.model_dump(mode="json") | changes
        key = f"{preset}-{len(variants)}"
        variants.append(_variant(base, key, f"{_title(base)}, {label}", value, method))
    return variants


def _betas(base: TransferSpec) -> tuple[_Settings, str, str]:
    """Values of beta around what is usual for the method, the axis, and a sentence that says which they are."""
    choices = METHODS[base.method.name].choices
    if "beta" not in choices:
        raise InputError(f"The ablation beta varies the weight of a method's own loss, and {_title(base)} has none.")
    usual = float(choices["beta"].default)
    if "alpha" in choices and math.isclose(choices["alpha"].default + usual, 1):
        settings: _Settings = [(f"beta {beta:g}", beta, {"beta": beta, "alpha": round(1 - beta, 4)}) for beta in _BETAS]
        return settings, "beta, with alpha = 1 − beta", "alpha = 1 − beta, so that the parts of the loss add up to one."
    values = [float(f"{times * usual:.6g}") for times in _TIMES_USUAL]
    alpha = getattr(base.method, "alpha", None)
    kept = "" if alpha is None else f"; alpha stays at {alpha:g}"
    return (
        [(f"beta {beta:g}", beta, {"beta": beta}) for beta in values],
        f"beta, usually {usual:g}",
        f"beta is varied from a tenth to ten times {_title(base)}'s usual {usual:g}{kept}.",
    )


def _settings(base: TransferSpec, preset: str) -> _Settings:
    if not isinstance(base.method, BirdSettings):
        raise InputError(f"The ablation {preset} varies BIRD's {preset}, and the spec's method is {_title(base)}.")
    values = ("linear", "rbf") if preset == "kernel" else ("biased", "debiased")
    return [("RBF kernel" if value == "rbf" else f"{value} {preset}", value, {preset: value}) for value in values]


def _layers(base: TransferSpec, preset: str) -> tuple[_Settings, str]:
    """The pairs that are tried, and a sentence on those that are not."""
    if not isinstance(base.method, MatchingSettings):
        raise InputError(
            f"The ablation {preset} is for methods that compare layers, and the spec's method is {_title(base)}."
        )
    pairs, note = (every_pair if preset == "every-layer" else spread_pairs)(base, base.method)
    named = [(f"{teacher} → {student}", {"teacher": teacher, "student": student}) for teacher, student in pairs]
    return [(name, name, {"pairs": [pair]}) for name, pair in named], note


def _teachers(base: TransferSpec, teachers: Sequence[str]) -> list[Variant]:
    if not METHODS[base.method.name].needs_teacher:
        raise InputError(f"The ablation teacher is for methods that look at a teacher, which {_title(base)} does not.")
    names = tuple(dict.fromkeys(teachers)) or _known_teachers(base)
    if len(names) < 2:
        raise InputError("The ablation teacher needs two teachers or more; name weights to choose from.")
    variants = [_fine_tuning(base)]
    for name in names:
        provenance = read_provenance(find_weights(name))
        if provenance is None:
            raise InputError(f"{name} does not say which network it holds, so it can't be a teacher here.")
        method, other = base.method.model_dump(mode="json"), ModelRef(model=provenance.model, weights=name)
        if isinstance(base.method, MatchingSettings):
            method["pairs"] = [
                pair | {"teacher": counterpart(base, pair["teacher"], other)} for pair in method["pairs"]
            ]
        more = {"teacher": {"model": provenance.model, "weights": name}}
        label = name.rsplit("/", 1)[-1].removesuffix(".safetensors")
        variants.append(_variant(base, f"teacher-{len(variants)}", f"Teacher {label}", label, method, more=more))
    return variants


def _known_teachers(base: TransferSpec) -> tuple[str, ...]:
    known = [
        found.name
        for found in list_weights()
        if found.problem is None and found.provenance is not None and found.provenance.role == "teacher"
    ]
    own = () if base.teacher.weights is None else (base.teacher.weights,)
    return tuple(dict.fromkeys((*own, *known)))


def _fine_tuning(
    base: TransferSpec, *, key: str = "", label: str = "", more: Mapping[str, Any] | None = None
) -> Variant:
    """What gains are over, under its own name unless it is another budget's."""
    reference = reference_method()
    own = reference.rows[0]
    overrides = {
        "method": {"name": reference.name, **own.settings},
        "control": "none",
        "drawn": None if base.drawn_pair is None else base.drawn_pair.model_dump(mode="json"),
        **(more or {}),
    }
    return Variant(
        key=key or own.name, label=label or own.title, role="reference", method=reference.name, overrides=overrides
    )


def _variant(
    base: TransferSpec,
    key: str,
    label: str,
    value: float | str,
    method: Mapping[str, Any],
    *,
    over: str = "",
    more: Mapping[str, Any] | None = None,
) -> Variant:
    return Variant(
        key=key,
        label=label,
        method=base.method.name,
        start=base.start,
        control=base.control,
        over=over or reference_method().rows[0].name,
        value=value,
        overrides={"method": dict(method), **(more or {})},
    )


def _title(base: TransferSpec) -> str:
    return METHODS[base.method.name].title
