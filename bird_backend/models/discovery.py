"""The layers of any network, from one traced forward pass: every module that returns a tensor with a row an image.

Networks keep their dimensions in different orders: Swin has channels last, some transformers their tokens first. Which
it is follows from the types of modules where they say so, else from the shape, else from whoever had that shape before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bird_backend.activations import UNUSUAL_LAYOUTS, Layout, declare_layout, first_tensor, in_order
from bird_backend.catalog import LayerFacts
from bird_backend.errors import BirdError, InputError
from bird_backend.models.outline import outline
from bird_backend.models.reach import parameters_reached

__all__ = ["Traced", "classifier_of", "declare_layouts", "discover", "learn_layouts", "noise", "trace"]

_IMAGES = 3
"""In the batch of the pass. A number that seldom is one of tokens, heads or channels, as 1 and 2 are."""
_CHANNELS_FIRST = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.GroupNorm)
_FEATURES_FIRST = (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d)


@dataclass(kw_only=True)
class _Seen:
    """A module's last call."""

    module: nn.Module
    shape: tuple[int, ...]
    times: int
    at: int
    value: Tensor | None
    """Of vectors, to see whether they are the logits."""


@dataclass(frozen=True, kw_only=True)
class Traced:
    """What a forward pass showed: its layers in the order in which they end, and the logits [3, classes]."""

    layers: tuple[LayerFacts, ...]
    logits: Any
    """Whatever the network returned."""
    head: str | None
    """The classifier, where it is linear and nothing comes after it: what it returns are the logits."""


def discover(model: nn.Module, image_size: int) -> tuple[LayerFacts, ...]:
    """Every layer of `model` that can be aligned, in order of execution; the classifier among them is marked.

    The model is left as it was, gradients and buffers included. A forward pass that raises raises that here.
    """
    return trace(model, image_size).layers


@torch.no_grad()
def trace(model: nn.Module, image_size: int) -> Traced:
    """`discover`, and what the network returned for three images of noise (on the meta device: without numbers)."""
    seen: dict[str, _Seen] = {}
    images = noise(model, image_size)
    with _in_evaluation(model), _watched(model, seen), parameters_reached(model) as reached:
        logits = model(images)
    ordered = dict(sorted(seen.items(), key=lambda entry: entry[1].at))
    layouts = _layouts(ordered)
    classifier = _classifier(ordered, logits)
    chosen, stages = outline(model, list(layouts), classifier)
    layers = []
    for path, layout in layouts.items():
        call = ordered[path]
        usual = in_order(torch.empty(call.shape, device="meta"), layout).shape
        layers.append(
            LayerFacts(
                name=path,
                shape=tuple(usual[1:]),
                parameters=reached[path],
                kind=type(call.module).__name__,
                stage=stages[path],
                layout=layout,
                times=call.times,
                outline=path in chosen,
                classifier=path == classifier,
            )
        )
    return Traced(layers=tuple(layers), logits=logits, head=_head(ordered, classifier, logits))


def classifier_of(layers: tuple[LayerFacts, ...]) -> str | None:
    """The path of the layer that is marked as the classifier; none where there is none."""
    return next((layer.name for layer in layers if layer.classifier), None)


def declare_layouts(model: nn.Module, layers: tuple[LayerFacts, ...]) -> None:
    """Makes captures of `model` put into the usual order what it keeps in another."""
    for layer in layers:
        for layout in UNUSUAL_LAYOUTS:
            if layer.layout == layout:
                declare_layout(model.get_submodule(layer.name), layout)


def learn_layouts(model: nn.Module, image_size: int) -> None:
    """`declare_layouts` of a network that nobody knows, where noise of that size passes through it; else nothing."""
    with contextlib.suppress(
        BirdError, RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError
    ):
        declare_layouts(model, discover(model, image_size))


def noise(model: nn.Module, image_size: int) -> Tensor:
    """Three images that are the same each time, on the network's device; on meta they have no numbers."""
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    shape = (_IMAGES, 3, image_size, image_size)
    if device.type == "meta":
        return torch.empty(shape, device=device)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)


@contextlib.contextmanager
def _in_evaluation(model: nn.Module) -> Iterator[None]:
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


@contextlib.contextmanager
def _watched(model: nn.Module, seen: dict[str, _Seen]) -> Iterator[None]:
    def note(path: str, module: nn.Module, output: Any) -> None:
        with contextlib.suppress(InputError):  # it returns no tensor
            tensor = first_tensor(output, path, module)
            times = seen[path].times + 1 if path in seen else 1
            seen.pop(path, None)
            value = tensor if tensor.ndim == 2 else None
            if tensor.is_floating_point():
                seen[path] = _Seen(module=module, shape=tuple(tensor.shape), times=times, at=len(order), value=value)
            order.append(path)

    order: list[str] = []
    handles = [
        module.register_forward_hook(lambda module, _inputs, output, path=path: note(path, module, output))
        for path, module in model.named_modules()
        if path
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layouts(seen: dict[str, _Seen]) -> dict[str, Layout]:
    """Of each layer with a row an image; others, such as windows of all images in one batch, can't be aligned."""
    found: dict[str, Layout] = {}
    usual: dict[tuple[int, ...], Layout] = {}
    for path, call in seen.items():
        layout = _layout(call.module, call.shape, usual)
        if layout is not None:
            found[path] = usual[call.shape] = layout
    return found


def _layout(module: nn.Module, shape: tuple[int, ...], usual: dict[tuple[int, ...], Layout]) -> Layout | None:
    if len(shape) == 2 and shape[0] == _IMAGES:
        return "BD"
    if len(shape) == 3:
        return _layout_of_tokens(module, shape, usual)
    if len(shape) != 4 or shape[0] != _IMAGES:
        return None
    if isinstance(module, _CHANNELS_FIRST):
        return "BCHW"
    if isinstance(module, nn.Linear) or type(module) is nn.LayerNorm:
        return "BHWC"
    a, b, c = shape[1:]
    if (a == b) != (b == c):
        return "BHWC" if a == b else "BCHW"
    # Three equal sides say nothing, and three unequal ones are windows × places × channels, or a map that isn't square.
    return usual.get(shape, "BCHW" if a == b else "BHWC")


def _layout_of_tokens(module: nn.Module, shape: tuple[int, ...], usual: dict[tuple[int, ...], Layout]) -> Layout | None:
    if shape[0] != _IMAGES:
        return "NBD" if shape[1] == _IMAGES else None
    if isinstance(module, _FEATURES_FIRST):
        return "BDN"
    if isinstance(module, nn.Linear) or type(module) is nn.LayerNorm:
        return "BND"
    return usual.get(shape, "BND")


def _classifier(seen: dict[str, _Seen], logits: Any) -> str | None:
    """The last linear layer, or convolution, with as many outputs as there are classes."""
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        return None
    classes, found = logits.shape[1], None
    for path, call in seen.items():
        module = call.module
        outputs = module.out_features if isinstance(module, nn.Linear) else getattr(module, "out_channels", None)
        if outputs == classes and isinstance(module, nn.Linear | nn.Conv2d) and call.shape[0] == _IMAGES:
            found = path
    return found


def _head(seen: dict[str, _Seen], classifier: str | None, logits: Tensor) -> str | None:
    if classifier is None or not isinstance(seen[classifier].module, nn.Linear):
        return None
    said = seen[classifier].value
    if said is None or said.shape != logits.shape:
        return None
    return classifier if logits.is_meta or torch.equal(said, logits) else None
