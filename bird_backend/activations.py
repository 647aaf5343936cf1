"""What a layer says about a batch: forward hooks that clean up after themselves, and pooling to one vector an image.

A capture is a clone, so a following in-place ReLU or `+=` can't overwrite it, and it stays in the autograd graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from bird_backend.errors import InputError, UnknownNameError, closest

__all__ = [
    "UNUSUAL_LAYOUTS",
    "Layout",
    "Pooling",
    "capture_activations",
    "capture_inputs",
    "declare_layout",
    "find_layer",
    "first_tensor",
    "in_order",
    "layer_output",
    "pool",
]

Pooling = Literal["mean", "flatten"]
Layout = Literal["BCHW", "BHWC", "BND", "NBD", "BDN", "BD"]
"""The order of a layer's dimensions: images of a batch, channels, rows and columns; tokens and their features."""

UNUSUAL_LAYOUTS: tuple[Layout, ...] = ("BHWC", "NBD", "BDN")

_LAYOUT = "activation_layout"

_Keep = Callable[[Tensor], None]


class _Stop(Exception):  # noqa: N818 - control flow that never leaves this file
    """Ends a forward pass once everything asked for is there."""


@contextmanager
def capture_activations(
    model: nn.Module, layers: Iterable[str], stop_early: bool = True
) -> Iterator[dict[str, Tensor]]:
    """Collects the outputs of `layers` (module paths) during the forward pass made inside the `with` block.

    With `stop_early` the block ends as soon as every layer has run: no later module runs, nor does any statement of the
    block after the model's call. A student whose output is wanted too is captured with `stop_early=False`. A layer that
    runs several times keeps its last output before the end, and of a tuple the first tensor. Whatever layout it was
    declared to have, what is captured is [B, C, H, W], [B, N, D] or [B, D]. An unknown layer is an `UnknownNameError`;
    a layer the forward pass never reached is an `InputError`.
    """

    def output_of(layer: nn.Module, name: str, keep: _Keep) -> RemovableHandle:
        return layer.register_forward_hook(lambda module, _inputs, output: keep(layer_output(output, name, module)))

    with _capture(model, layers, stop_early, output_of) as captured:
        yield captured


@contextmanager
def capture_inputs(model: nn.Module, layers: Iterable[str], stop_early: bool = True) -> Iterator[dict[str, Tensor]]:
    """As `capture_activations`, but of what comes into `layers`; with `stop_early` the last of them doesn't run."""

    def input_of(layer: nn.Module, name: str, keep: _Keep) -> RemovableHandle:
        return layer.register_forward_pre_hook(lambda module, inputs: keep(first_tensor(inputs, name, module)))

    with _capture(model, layers, stop_early, input_of) as captured:
        yield captured


@contextmanager
def _capture(
    model: nn.Module,
    layers: Iterable[str],
    stop_early: bool,
    register: Callable[[nn.Module, str, _Keep], RemovableHandle],
) -> Iterator[dict[str, Tensor]]:
    wanted = {name: find_layer(model, name) for name in layers}
    if not wanted:
        raise InputError("No layer to capture was named.")
    captured: dict[str, Tensor] = {}
    stop = _Stop()

    def keeping(name: str) -> _Keep:
        def keep(given: Tensor) -> None:
            captured[name] = given.clone()
            if stop_early and len(captured) == len(wanted):
                raise stop

        return keep

    handles = [register(module, name, keeping(name)) for name, module in wanted.items()]
    try:
        yield captured
    except _Stop as reached:
        if reached is not stop:  # a capture around this one asked for it
            raise
    finally:
        for handle in handles:
            handle.remove()
    for name in wanted:
        if name not in captured:
            raise InputError(f"Layer {name!r} of {type(model).__name__} did not run, so nothing was captured.")


def pool(activation: Tensor, how: Pooling = "mean", mask: Tensor | None = None) -> Tensor:
    """One vector an image, [B, D], from a map [B, C, H, W], tokens [B, N, D] or vectors [B, D], in float32 or better.

    `mean` averages over positions (or tokens) and keeps the channels; `flatten` keeps every number. `mask` [B, N] is
    false where a token is padding: it has no part in the mean, and is zero where everything is kept.
    """
    shape = list(activation.shape)
    if activation.ndim not in (2, 3, 4):
        raise InputError(f"An activation of shape {shape} can't be pooled: [B,C,H,W], [B,N,D] or [B,D] can.")
    if how not in ("mean", "flatten"):
        raise UnknownNameError("pooling", how, ("mean", "flatten"))
    # Before the mean, which in bfloat16 would be rounded to three digits.
    activation = activation if activation.dtype == torch.float64 else activation.float()
    if mask is not None and activation.ndim > 2:
        if shape[:2] != list(mask.shape) or activation.ndim != 3:
            raise InputError(f"A mask of shape {list(mask.shape)} can't be laid over an activation of shape {shape}.")
        counted = mask.bool()[:, :, None]
        # Not a product: padding may hold anything, and NaN × 0 is NaN.
        activation = torch.where(counted, activation, torch.zeros_like(activation))
        if how == "mean":
            return activation.sum(1) / counted.sum(1).clamp_min(1)
    if how == "flatten":
        return activation.flatten(1)
    positions = {4: (2, 3), 3: (1,), 2: ()}[activation.ndim]
    return activation.mean(positions) if positions else activation


def declare_layout(module: nn.Module, layout: Layout) -> None:
    """From now on what is captured of `module` is put in the usual order; a copy of it keeps that."""
    setattr(module, _LAYOUT, layout)


def in_order(tensor: Tensor, layout: Layout) -> Tensor:
    """A view of what a layer of that layout returns as [B, C, H, W], [B, N, D] or [B, D]."""
    if tensor.ndim != len(layout):
        return tensor
    if layout == "BHWC":
        return tensor.permute(0, 3, 1, 2)
    if layout == "NBD":
        return tensor.transpose(0, 1)
    return tensor.transpose(1, 2) if layout == "BDN" else tensor


def layer_output(output: Any, name: str, module: nn.Module) -> Tensor:
    """What the layer of that path returns, its first tensor, in the usual order; none there is an `InputError`."""
    return in_order(first_tensor(output, name, module), getattr(module, _LAYOUT, "BCHW"))


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """The module at a path; an unknown one is an `UnknownNameError` with the closest."""
    modules: dict[str, nn.Module] = dict(model.named_modules(remove_duplicate=False))
    del modules[""]
    if name not in modules:
        # A deep network has hundreds of paths: with none alike, its top level says more than all of them.
        valid = modules if closest(name, modules) else [path for path, _ in model.named_children()]
        raise UnknownNameError(f"layer of {type(model).__name__}", name, valid)
    return modules[name]


def first_tensor(output: Any, name: str, module: nn.Module) -> Tensor:
    """What the layer of that path returns, or of several values the first tensor; none there is an `InputError`."""
    if isinstance(output, Tensor):
        return output
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    for part in parts:
        if isinstance(part, torch.Tensor):
            return part
    raise InputError(f"Layer {name!r} ({type(module).__name__}) returns no tensor that could be captured.")
