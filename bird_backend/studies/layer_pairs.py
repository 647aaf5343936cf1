"""Which pairs of layers an ablation tries, and what it leaves out of all that there are."""

from __future__ import annotations

from bird_backend.catalog import ModelFacts
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.networks import image_size_of, network_facts
from bird_backend.specs import ModelRef
from bird_backend.transfer import MatchingSettings

__all__ = ["MOST_PAIRS", "Pair", "counterpart", "every_pair", "pairs_by_depth", "spread_pairs"]

MOST_PAIRS = 400
"""Rows that a table can hold and someone will still read."""
_PLACES, _MOST_SPREAD = 5, 9
"""Places along each network that are paired, each with its counterpart and with the next deeper one; and pairs."""

Pair = tuple[str, str]
"""The teacher's layer and the student's."""


def spread_pairs(base: TransferSpec, method: MatchingSettings) -> tuple[list[Pair], str]:
    """The base's own pair and some from input to output, and in a sentence how many that leaves out."""
    guiding, guided = (_spread(_outline(ref, base)) for ref in (base.teacher, base.student))
    own = (method.pairs[0].teacher, method.pairs[0].student)
    found = dict.fromkeys([own, *zip(guiding, guided, strict=False), *zip(guiding, guided[1:], strict=False)])
    pairs = list(found)[:_MOST_SPREAD]
    places = [_places(ref, base, layer) for ref, layer in zip((base.teacher, base.student), own, strict=True)]
    total = len(places[0]) * len(places[1])
    note = f"These are {len(pairs)} of {total:,} pairs of layers, from input to output; every-layer tries all of them."
    return sorted(pairs, key=lambda pair: (places[0].index(pair[0]), places[1].index(pair[1]))), note


def every_pair(base: TransferSpec, method: MatchingSettings) -> tuple[list[Pair], str]:
    """All pairs but those that are the same under the method's pooling, and which those are in a sentence."""
    layers, left_out = [], []
    for role, reference in (("teacher", base.teacher), ("student", base.student)):
        facts = _facts(reference, base)
        same = facts.same_pooled if method.pooling == "mean" else {}
        layers.append([layer.name for layer in facts.outline if layer.name not in same])
        left_out += [f"the {role}'s {layer}, which is its {earlier}" for layer, earlier in same.items()]
    pairs = [(guiding, guided) for guiding in layers[0] for guided in layers[1]]
    if len(pairs) > MOST_PAIRS:
        raise InputError(
            f"{base.teacher.model} and {base.student.model} have {len(pairs):,} pairs of layers, more than the"
            f" {MOST_PAIRS} that a study takes; the ablation layers tries some from input to output."
        )
    note = f"These are all {len(pairs)} pairs of layers."
    return pairs, f"{note} Left out, as the same under mean pooling: {' and '.join(left_out)}." if left_out else note


def pairs_by_depth(base: TransferSpec) -> list[Pair]:
    """Each of the student's outline layers with the teacher's that is as deep, in share of its layers."""
    guiding, guided = (_outline(ref, base) for ref in (base.teacher, base.student))
    last = max(len(guided) - 1, 1)
    return [(guiding[round(place / last * (len(guiding) - 1))], layer) for place, layer in enumerate(guided)]


def counterpart(base: TransferSpec, layer: str, other: ModelRef) -> str:
    """The layer of another teacher as deep, in share of its layers, as `layer` is; the same one in the same network."""
    if base.teacher.model == other.model:
        return layer
    layers, others = _places(base.teacher, base, layer), _outline(other, base)
    return others[round(layers.index(layer) / max(len(layers) - 1, 1) * (len(others) - 1))]


def _facts(ref: ModelRef, base: TransferSpec) -> ModelFacts:
    """At the images of the study; a network that isn't known yet is an `InputError` that says how it becomes so."""
    facts = network_facts(ref, image_size_of(base))
    if facts is None:
        raise InputError(
            f"The layers of {ref.model} are not known yet, so none can be spread over; `list layers {ref.model}` builds"
            " it once and keeps them."
        )
    return facts


def _outline(ref: ModelRef, base: TransferSpec) -> list[str]:
    return [layer.name for layer in _facts(ref, base).outline]


def _places(ref: ModelRef, base: TransferSpec, own: str) -> list[str]:
    """The outline in order, with `own` in its place where it lies within a block."""
    facts = _facts(ref, base)
    return [layer.name for layer in facts.layers if layer.outline or layer.name == own]


def _spread(layers: list[str]) -> list[str]:
    last = len(layers) - 1
    return list(dict.fromkeys(layers[round(place * last / (_PLACES - 1))] for place in range(_PLACES)))
