"""BIRD: Behavior Induction via Representation-structure Distillation, and the machinery to explore it.

For training loops of one's own: `BirdLoss`, `cka`, `capture_activations` and `record`. They need torch, which is loaded
when one of them is first asked for, and not by those who only read runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bird_backend.activations import capture_activations
    from bird_backend.recording import record
    from bird_backend.similarity import cka
    from bird_backend.transfer.bird.module import BirdLoss

__all__ = ["BirdLoss", "__version__", "capture_activations", "cka", "record"]

__version__ = "0.1.0"

_FOUND_IN = {
    "BirdLoss": "bird_backend.transfer.bird.module",
    "capture_activations": "bird_backend.activations",
    "cka": "bird_backend.similarity",
    "record": "bird_backend.recording",
}


if not TYPE_CHECKING:  # with it, a type checker would let any name pass

    def __getattr__(name: str) -> Any:
        if name not in _FOUND_IN:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_FOUND_IN[name]), name)
