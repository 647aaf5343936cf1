"""What can be done with a loaded network: which layers can be aligned, which stand for it, and where its classifier is.

Of the catalogue's networks that is declared; all others are traced.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models.discovery import trace
from bird_backend.models.preprocessing import preprocessing_of
from bird_backend.models.registry import find_architecture
from bird_backend.sources import source_of

__all__ = ["Anatomy", "anatomy_of"]


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Of the network called `name`; layers are module paths from input to output."""

    name: str
    layers: tuple[str, ...]
    outline: tuple[str, ...]
    """The layers that stand for it; all of them in a network of the catalogue."""
    head: str | None
    """The last linear layer; none where there is no such layer, or where something follows it."""

    @property
    def last(self) -> str:
        """The layer that stands for all of it: its last block, else whatever runs last; an `InputError` of nothing."""
        if not self.layers:
            raise InputError(f"{self.name} has no layer whose geometry could be drawn.")
        return (self.outline or self.layers)[-1]

    def find(self, layer: str) -> str:
        """The layer, if it is one; else an `UnknownNameError` with the closest."""
        if layer not in self.layers:
            near = self.layers if len(self.layers) < _FEW else (*self.outline, *self.layers)
            raise UnknownNameError(f"layer of {self.name}", layer, near)
        return layer

    def require_head(self, what: str) -> str:
        """The path of its last linear layer; an `InputError` where there is none, which `what` needs."""
        if self.head is None:
            raise InputError(
                f"{what} needs a network whose last layer is linear, with nothing after it, which {self.name} is not;"
                " choose another network, or a method that trains all of it."
            )
        return self.head


_FEW = 60


def anatomy_of(name: str, model: nn.Module, image_size: int) -> Anatomy:
    """Of `model`, which was loaded as `name` for images of that size. It is left as it was."""
    source, _ = source_of(name)
    if source is None:
        declared = find_architecture(name)
        return Anatomy(name=name, layers=declared.layers, outline=declared.layers, head=declared.classifier)
    own = preprocessing_of(model)
    traced = trace(model, own.size if own is not None and own.size is not None else image_size)
    return Anatomy(
        name=name,
        layers=tuple(layer.name for layer in traced.layers),
        outline=tuple(layer.name for layer in traced.layers if layer.outline),
        head=traced.head,
    )
