"""Building a network to say what it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bird_backend import catalog
from bird_backend.experiments.examine import ExamineSpec
from bird_backend.experiments.work import Work
from bird_backend.models import load_model
from bird_backend.models.discovery import Traced, classifier_of, noise, trace
from bird_backend.models.preprocessing import preprocessing_of
from bird_backend.seeds import derive_seed
from bird_backend.training import training_mode

__all__ = ["execute"]

_CLASSES = 10
_MOST_NAMED = 5


def execute(spec: ExamineSpec, work: Work) -> dict[str, Any]:
    """`parameters`, `multiply_adds` of one image, `layers`, `classifier`, `classes`, and `problems` in words."""
    ref, size = spec.model, spec.image_size
    work.writer.begin("Building the network", 0.6)
    classes = _CLASSES if spec.classes is None and ref.weights is None else spec.classes
    seed = derive_seed(spec.seed, f"weights of {ref.model}")
    model, made = load_model(ref, classes=classes, seed=seed, image_size=size)
    work.writer.begin("Looking at its layers", 0.38)
    traced = trace(model, size)
    own = preprocessing_of(model)
    return {
        "model": ref.model,
        "weights": ref.weights,
        "title": ref.network_title,
        "image_size": size,
        "classes": traced.logits.shape[1],
        "class_names": None if made is None else list(made.classes),
        "preprocessing": None if own is None else own.model_dump(mode="json"),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "multiply_adds": _multiply_adds(model, size),
        "layers": [asdict(layer) for layer in _alignable(ref.model, traced)],
        "classifier": classifier_of(traced.layers),
        "problems": list(_problems(model, traced, size)),
    }


def _alignable(name: str, traced: Traced) -> list[catalog.LayerFacts]:
    """All of them; of a network of the catalogue those that it declares."""
    if name not in catalog.models():
        return list(traced.layers)
    declared = {layer.name for layer in catalog.find_model(name).layers}
    return [replace(layer, outline=True) for layer in traced.layers if layer.name in declared]


@torch.no_grad()
def _multiply_adds(model: nn.Module, image_size: int) -> int:
    """Of one image; without numbers where that works, since a CPU's own attention is not counted."""
    with training_mode(model, False):
        try:
            twin = copy.deepcopy(model).to("meta")
            with FlopCounterMode(display=False) as counter:
                twin(torch.empty(1, 3, image_size, image_size, device="meta"))
        except Exception:
            with FlopCounterMode(display=False) as counter:
                model(noise(model, image_size)[:1])
    return int(counter.get_total_flops()) // 2  # torch counts a multiplication and an addition as two


def _problems(model: nn.Module, traced: Traced, image_size: int) -> Iterator[str]:
    """What to know before it is used, in whole sentences; none of it keeps it from being used."""
    logits: Tensor = traced.logits
    if traced.head is None:
        yield (
            "Its outputs are not those of a last linear layer as they are, so methods that treat the head apart from"
            " the rest, such as a linear probe, can't be used with it."
        )
    if bool((logits >= 0).all()) and torch.allclose(logits.sum(1), torch.ones(len(logits)), atol=1e-4):
        yield "Its outputs add up to 1, as probabilities do; the loss wants logits, so leave the softmax out."
    # Within a block that is common, such as one ReLU for all, and no layer that anybody is likely to choose.
    if often := [layer.name for layer in traced.layers if layer.times > 1 and layer.outline]:
        named = f"{', '.join(often[:_MOST_NAMED])}{' and others' if len(often) > _MOST_NAMED else ''}"
        yield f"Run several times for an image, and the last time counts: {named}."
    again = trace(model, image_size).logits
    if not torch.allclose(again, logits, rtol=1e-3, atol=1e-4):
        yield "It says something else of the same images each time, in evaluation mode too, so its figures are noisy."
    elif not torch.allclose(_alone(model, image_size), logits[:1], rtol=1e-2, atol=1e-3):
        yield "What it says of an image depends on the others in the batch, in evaluation mode too."


@torch.no_grad()
def _alone(model: nn.Module, image_size: int) -> Tensor:
    with training_mode(model, False):
        said: Tensor = model(noise(model, image_size)[:1])
    return said
