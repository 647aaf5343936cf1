"""What is known of any network without torch: the catalogue's facts, or what a finished `examine` run found.

A network that isn't in the catalogue has to be built once before anything can be said of its layers; that is an
`examine` run, and its result is found again for as long as network, weights and code are the same.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from bird_backend import catalog
from bird_backend.catalog import LayerFacts, ModelFacts
from bird_backend.experiments import ExamineSpec, InspectSpec, load_spec
from bird_backend.experiments.declaration import DataRunSpec
from bird_backend.runs.store import RunStore
from bird_backend.sources import check_network
from bird_backend.specs import ModelRef

__all__ = ["examine_spec", "image_size_of", "network_facts"]


def examine_spec(ref: ModelRef, image_size: int) -> ExamineSpec:
    """What is asked for to know a network at images of that size; one that can't be is an `InputError`."""
    asked = load_spec({"kind": "examine", "model": ref.model_dump(mode="json"), "image_size": image_size})
    assert isinstance(asked, ExamineSpec)  # noqa: S101 - for the type
    return asked


def image_size_of(spec: DataRunSpec) -> int:
    """Pixels a side of the images of a run; of one's own images that are yet to be read, the likely ones."""
    if spec.known_image_size is not None:
        return spec.known_image_size
    read = RunStore().find_same(InspectSpec(data=spec.data), states=("done",))
    return catalog.OWN_IMAGE_SIZE if read is None or read.summary is None else int(read.summary["image_size"])


def network_facts(ref: ModelRef, image_size: int = 32) -> ModelFacts | None:
    """A network's facts at images of that size; none: it has yet to be examined.

    Of the catalogue's networks there are always some: at other sizes than 32 pixels shapes are those at 32 until the
    network is examined, and multiply-adds are estimated. An unknown name is an `UnknownNameError`.
    """
    known = catalog.models().get(check_network(ref.model))
    if known is not None and image_size == known.image_size:
        return known
    run = RunStore().find_same(examine_spec(ref, image_size), states=("done",))
    if run is not None and run.summary is not None:
        return _read(run.summary, known)
    return None if known is None else replace(known, multiply_adds=known.multiply_adds_at(image_size))


def _read(summary: dict[str, Any], known: ModelFacts | None) -> ModelFacts:
    names = {part.name for part in fields(LayerFacts)}
    layers = tuple(
        LayerFacts(**{name: value for name, value in layer.items() if name in names} | {"shape": tuple(layer["shape"])})
        for layer in summary["layers"]
    )
    found = {"layers": layers, "multiply_adds": summary["multiply_adds"], "image_size": summary["image_size"]}
    if known is not None:
        return replace(known, **found)
    return ModelFacts(
        name=summary["model"],
        title=summary["title"],
        caption="",
        family="",
        parameters=summary["parameters"],
        small=False,
        same_pooled={},
        **found,
    )
