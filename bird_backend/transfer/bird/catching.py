"""A student's activations as a training loop of someone else's makes them: caught in its own forward pass.

What is caught belongs to the tensor that the student was called with: whoever asks for another gets nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from bird_backend.activations import find_layer, first_tensor, layer_output

__all__ = ["NOT_RUN", "Catcher", "bare"]

NOT_RUN = "it was not run"


def bare(network: nn.Module) -> nn.Module:
    """The network itself where it came in a wrapper of `torch.compile` or of (Distributed)DataParallel."""
    while True:
        inner = getattr(network, "_orig_mod", None)
        if inner is None and isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = network.module
        if not isinstance(inner, nn.Module):
            return network
        network = inner


class Catcher:
    """Holds the outputs of some layers from a forward pass of `network` until they are taken, or until the next."""

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        """An unknown layer is an `UnknownNameError`."""
        self.paused = False
        """While it is, passes of the network are not noticed."""
        self._input: Tensor | None = None
        self._with_gradients = False
        self._under_way = False
        self._caught: dict[str, Tensor] = {}
        self._modules = {name: find_layer(network, name) for name in layers}
        # Before all others: one that makes the input ready for the network gives it another tensor.
        self.handles: list[RemovableHandle] = [
            network.register_forward_pre_hook(_Hook(self._begin, network), prepend=True),
            network.register_forward_hook(_Hook(self._end, network)),
        ]
        for name, module in self._modules.items():
            self.handles.append(module.register_forward_hook(_Hook(self._keeper(name), module)))

    def unfit(self, inputs: Tensor) -> str:
        """Why what is held is not what a pass of this very tensor would give now; empty where it is."""
        if self._input is None:
            return NOT_RUN
        if self._input is not inputs:
            return "its last forward pass was of another tensor; call it on the very tensor that the loss is called on"
        if self._with_gradients != torch.is_grad_enabled():
            return "its last forward pass was with gradients off, or on where they are off now"
        if lacking := [name for name in self._modules if name not in self._caught]:
            return f"{', '.join(lacking)} was not seen to run; compile it after the loss is made, if that is it"
        return ""

    def take(self) -> dict[str, Tensor]:
        """What is held, by layer, in the usual order of dimensions; then nothing is any more."""
        taken = {name: layer_output(kept, name, self._modules[name]) for name, kept in self._caught.items()}
        self._caught = {}
        self._input = None
        self._under_way = False
        return taken

    def _begin(self, _module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.paused:
            return
        self._caught = {}
        self._input = inputs[0] if inputs else None
        self._with_gradients = torch.is_grad_enabled()
        self._under_way = True

    def _end(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._under_way = False

    def _keeper(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(module: nn.Module, _inputs: Any, output: Any) -> None:
            # A layer that runs by itself, or again in a backward pass that recomputes it, is none of our business.
            if self._under_way:
                self._caught[name] = first_tensor(output, name, module).clone()

        return keep


class _Hook:
    """A hook of one module alone: in a copy of the module, or one that was pickled, it does nothing."""

    def __init__(self, act: Callable[..., None] | None = None, module: nn.Module | None = None) -> None:
        self._act = act
        self._module = None if module is None else weakref.ref(module)

    def __call__(self, module: nn.Module, *given: Any) -> None:
        if self._act is not None and self._module is not None and self._module() is module:
            self._act(module, *given)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Hook, ()
