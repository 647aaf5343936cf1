"""Which pairs of layers an ablation tries, and what it leaves out of all that there are."""

from __future__ import annotations

from bird_backend import catalog
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.transfer import MatchingSettings

__all__ = ["MOST_PAIRS", "counterpart", "every_pair", "spread_pairs"]

MOST_PAIRS = 400
"""Rows that a table can hold and someone will still read."""
_PLACES, _MOST_SPREAD = 5, 9
"""Places along each network that are paired, each with its counterpart and with the next deeper one; and pairs."""

Pair = tuple[str, str]
"""The teacher's layer and the student's."""


def spread_pairs(base: TransferSpec, method: MatchingSettings) -> tuple[list[Pair], str]:
    """The base's own pair and some from input to output, and in a sentence how many that leaves out."""
    guiding, guided = (_spread(ref.model) for ref in (base.teacher, base.student))
    own = (method.pairs[0].teacher, method.pairs[0].student)
    found = dict.fromkeys([own, *zip(guiding, guided, strict=False), *zip(guiding, guided[1:], strict=False)])
    pairs = list(found)[:_MOST_SPREAD]
    places = [[layer.name for layer in catalog.find_model(ref.model).layers] for ref in (base.teacher, base.student)]
    total = len(places[0]) * len(places[1])
    note = f"These are {len(pairs)} of {total:,} pairs of layers, from input to output; every-layer tries all of them."
    return sorted(pairs, key=lambda pair: (places[0].index(pair[0]), places[1].index(pair[1]))), note


def every_pair(base: TransferSpec, method: MatchingSettings) -> tuple[list[Pair], str]:
    """All pairs but those that are the same under the method's pooling, and which those are in a sentence."""
    layers, left_out = [], []
    for role, reference in (("teacher", base.teacher), ("student", base.student)):
        facts = catalog.find_model(reference.model)
        same = facts.same_pooled if method.pooling == "mean" else {}
        layers.append([layer.name for layer in facts.layers if layer.name not in same])
        left_out += [f"the {role}'s {layer}, which is its {earlier}" for layer, earlier in same.items()]
    pairs = [(guiding, guided) for guiding in layers[0] for guided in layers[1]]
    if len(pairs) > MOST_PAIRS:
        raise InputError(
            f"{base.teacher.model} and {base.student.model} have {len(pairs):,} pairs of layers, more than the"
            f" {MOST_PAIRS} that a study takes; the ablation layers tries some from input to output."
        )
    note = f"These are all {len(pairs)} pairs of layers."
    return pairs, f"{note} Left out, as the same under mean pooling: {' and '.join(left_out)}." if left_out else note


def counterpart(model: str, layer: str, other: str) -> str:
    """The layer of another network as deep, in share of its layers, as `layer` is; the same one in the same network."""
    if model == other:
        return layer
    layers, others = ([facts.name for facts in catalog.find_model(name).layers] for name in (model, other))
    return others[round(layers.index(layer) / (len(layers) - 1) * (len(others) - 1))]


def _spread(model: str) -> list[str]:
    layers = [layer.name for layer in catalog.find_model(model).layers]
    last = len(layers) - 1
    return list(dict.fromkeys(layers[round(place * last / (_PLACES - 1))] for place in range(_PLACES)))
