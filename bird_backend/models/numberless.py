"""Networks without their numbers: built in a tenth of a second, to see what shapes they have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn

__all__ = ["without_numbers"]

_DRAWING = (
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
)
"""What fills tensors; a meta tensor has nothing to fill, but finding that out takes longer than building does."""


@contextlib.contextmanager
def without_numbers() -> Iterator[None]:
    """While inside, parameters become meta tensors as modules take them, so that initialising costs nothing.

    accelerate's `init_empty_weights` does the same. `torch.device("meta")` would move what constructors compute with
    too, on which RegNet and Swin stumble.
    """
    before, drawing = nn.Module.register_parameter, {name: getattr(nn.init, name) for name in _DRAWING}

    def register(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None:
            param = nn.Parameter(param.detach().to("meta"), requires_grad=param.requires_grad)
        before(self, name, param)

    nn.Module.register_parameter = register  # type: ignore[method-assign]
    for name in _DRAWING:
        setattr(nn.init, name, lambda tensor, *_given, **_named: tensor)
    try:
        yield
    finally:
        nn.Module.register_parameter = before  # type: ignore[method-assign]
        for name, draw in drawing.items():
            setattr(nn.init, name, draw)
