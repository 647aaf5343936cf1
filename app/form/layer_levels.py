"""How finely a network's layers are listed: its stages by their last layer, its blocks, or every module there is."""

from __future__ import annotations

from collections.abc import Mapping

from bird_backend.catalog import LayerFacts, ModelFacts

__all__ = ["ALL_LAYERS", "BLOCKS", "STAGES", "level_of", "levels", "stage_of", "stand_in"]

STAGES, BLOCKS, ALL_LAYERS = "{} stages", "{} blocks", "all {}"
"""The lists by name, with a place for how many layers each has."""
_FEW = 14
"""So many layers are one list."""


def levels(facts: ModelFacts) -> Mapping[str, tuple[LayerFacts, ...]]:
    """The lists by name, coarse ones first, each in order of execution. A network of few layers has one list."""
    if len(facts.layers) <= _FEW:
        return {ALL_LAYERS: facts.layers}
    blocks = facts.outline or facts.layers
    last = {stage_of(layer): layer for layer in blocks}
    stages = tuple(layer for layer in blocks if last[stage_of(layer)] is layer)
    lists = {STAGES: stages, BLOCKS: blocks, ALL_LAYERS: facts.layers}
    found: dict[str, tuple[LayerFacts, ...]] = {}
    for name, layers in reversed(lists.items()):  # a list that opens nothing that a coarser one hasn't is left out
        if not found or 1 < len(layers) < len(next(reversed(found.values()))):
            found[name] = layers
    return dict(reversed(found.items()))


def level_of(layer: str, lists: Mapping[str, tuple[LayerFacts, ...]]) -> str | None:
    """The coarsest list that has the layer; none where no list has it."""
    return next((name for name, layers in lists.items() if any(each.name == layer for each in layers)), None)


def stand_in(layer: str, facts: ModelFacts, offered: tuple[LayerFacts, ...]) -> str:
    """What comes closest to a layer in a list that does not have it: its stage's last layer, else a middle one."""
    stage = next((stage_of(each) for each in facts.layers if each.name == layer), None)
    alike = [each.name for each in offered if stage_of(each) == stage]
    return alike[-1] if alike else offered[(len(offered) - 1) // 2].name


def stage_of(layer: LayerFacts) -> str:
    """As it was found; the catalogue's networks have theirs in the layers' paths."""
    return layer.stage or layer.name.rpartition(".")[0] or layer.name
