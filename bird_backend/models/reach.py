"""How many of a network's parameters have been used by the time a module is done, from one forward pass."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

__all__ = ["parameters_reached"]


@contextlib.contextmanager
def parameters_reached(model: nn.Module) -> Iterator[dict[str, int]]:
    """By module path, filled while `model` runs; of several calls the last counts.

    A module's own parameters count from its beginning, those of what lies in it from its end at the latest: some parts,
    such as an attention's projection, are never called themselves.
    """
    used: dict[int, int] = {}
    reached: dict[str, int] = {}

    def use(parameters: Iterable[nn.Parameter]) -> None:
        used.update((id(parameter), parameter.numel()) for parameter in parameters)

    def begin(module: nn.Module, _inputs: Any) -> None:
        use(module.parameters(recurse=False))

    def end(path: str, module: nn.Module) -> None:
        use(module.parameters())
        reached[path] = sum(used.values())

    handles = [module.register_forward_pre_hook(begin) for module in model.modules()]
    handles += [
        module.register_forward_hook(lambda module, _inputs, _output, path=path: end(path, module))
        for path, module in model.named_modules()
    ]
    try:
        yield reached
    finally:
        for handle in handles:
            handle.remove()
