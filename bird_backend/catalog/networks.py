"""Networks: what was measured of each (`python -m bird_backend assets catalog` writes `catalog.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bird_backend.errors import UnknownNameError

__all__ = ["CATALOG_FILE", "LayerFacts", "ModelFacts", "find_layer", "find_model", "models"]

CATALOG_FILE = Path(__file__).with_name("catalog.json")


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """A layer that can be aligned: its module path and the shape of one image's output (no batch dimension).

    The shape is (C, H, W), (N, D) or (D,) whatever order the network itself keeps them in, which is `layout`.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int = 0
    """Of the network, as many as were used by the time this layer was done; 0 where nobody counted."""
    kind: str = ""
    """Its module's type; empty in the catalogue, as is the stage."""
    stage: str = ""
    """The part of the network that it is grouped under in a list."""
    layout: str = ""
    times: int = 1
    """How often it runs for an image; of several times the last counts."""
    outline: bool = True
    """Whether it is one of the blocks that stand for the network, in maps of layers and where layers are spread."""
    classifier: bool = False
    """The last linear layer, whose outputs are the classes."""


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A network of the registry, with its alignable layers from input to output."""

    name: str
    title: str
    caption: str
    family: str
    parameters: int
    small: bool
    """Trains in seconds on a CPU."""
    layers: tuple[LayerFacts, ...]
    same_pooled: Mapping[str, str]
    """Layers that with mean pooling are the same as an earlier one, and which that is."""
    multiply_adds: int
    """Multiply-adds of one image, for time estimates."""
    multiply_adds_64: int | None = None
    """Those at 64 pixels, where a network of the catalogue has its own stem instead of the small one."""
    image_size: int = 32
    """Of the images that all this is for."""

    def multiply_adds_at(self, image_size: int) -> int:
        """Roughly those at another size: they grow with the pixels, unless there are as many tokens anyway."""
        small, own = self.multiply_adds, self.multiply_adds_64
        if own is not None and abs(own - small) < 0.1 * small:
            return small
        base, side = (own, 64) if own is not None and image_size >= 64 else (small, self.image_size)
        return round(base * (image_size / side) ** 2)

    @property
    def outline(self) -> tuple[LayerFacts, ...]:
        """The layers that stand for the network, from input to output."""
        return tuple(layer for layer in self.layers if layer.outline)


@cache
def models() -> Mapping[str, ModelFacts]:
    """Every network of the registry by name, small ones first."""
    document = json.loads(CATALOG_FILE.read_text("utf-8"))
    return {
        entry["name"]: ModelFacts(
            **{key: value for key, value in entry.items() if key != "layers"},
            layers=tuple(
                LayerFacts(name=name, shape=tuple(shape), parameters=reached)
                for name, shape, reached in entry["layers"]
            ),
        )
        for entry in document["models"]
    }


def find_model(name: str) -> ModelFacts:
    """The facts of a network; an unknown name is an `UnknownNameError` with the closest valid ones."""
    if name not in models():
        raise UnknownNameError("model", name, models())
    return models()[name]


def find_layer(model: str, layer: str) -> LayerFacts:
    """The facts of an alignable layer of `model`."""
    layers = {facts.name: facts for facts in find_model(model).layers}
    if layer not in layers:
        raise UnknownNameError(f"layer of {model}", layer, layers)
    return layers[layer]
