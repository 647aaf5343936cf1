"""Networks that somebody has looked at, without building any: what an `examine` run would have said."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bird_backend.catalog import LayerFacts, ModelFacts
from bird_backend.runs.store import Run, RunStore

__all__ = ["facts_of", "finish_looking"]


def facts_of(network: str, image_size: int = 32) -> ModelFacts:
    """A stem and two stages of three blocks with a convolution inside, as of ten classes."""
    blocks = [
        layer
        for stage in (1, 2)
        for block in range(3)
        for layer in (
            _layer(f"stage{stage}.{block}.conv", stage, kind="Conv2d", outline=False),
            _layer(f"stage{stage}.{block}", stage, kind="Block"),
        )
    ]
    stem = LayerFacts(name="stem", shape=(16, image_size, image_size), kind="Conv2d", stage="stem")
    head = LayerFacts(name="head", shape=(10,), kind="Linear", stage="head", outline=False, classifier=True)
    norm = LayerFacts(name="stem_norm", shape=stem.shape, kind="BatchNorm2d", stage="stem", outline=False, times=2)
    return ModelFacts(
        name=network,
        title=network.rpartition(":")[2],
        caption="",
        family="",
        parameters=1_234_567,
        small=False,
        layers=(norm, stem, *blocks, head),
        same_pooled={},
        multiply_adds=40_000_000,
        image_size=image_size,
    )


def finish_looking(run: Run) -> None:
    """Close an `examine` run as if the network had been built."""
    facts = facts_of(run.spec.model.model, run.spec.image_size)
    summary: dict[str, Any] = {
        "model": facts.name,
        "weights": run.spec.model.weights,
        "title": facts.title,
        "image_size": facts.image_size,
        "classes": 10,
        "class_names": None,
        "preprocessing": None,
        "parameters": facts.parameters,
        "multiply_adds": facts.multiply_adds,
        "layers": [asdict(layer) for layer in facts.layers],
        "classifier": "head",
        "problems": ["What it says of an image depends on the others in the batch."],
    }
    RunStore().finish(run.id, "done", summary=summary)


def _layer(name: str, stage: int, *, kind: str, outline: bool = True) -> LayerFacts:
    return LayerFacts(name=name, shape=(16 * stage, 16, 16), kind=kind, stage=f"stage{stage}", outline=outline)
