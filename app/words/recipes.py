"""What transfers have in common, in a line: method, budget, and what they are measured under."""

from __future__ import annotations

from bird_backend.behaviours import USUAL
from bird_backend.experiments import TransferSpec
from bird_backend.transfer import METHODS

__all__ = ["recipe_words"]


def recipe_words(spec: TransferSpec) -> str:
    """`BIRD, alpha 0.1, beta 0.9, 4 epochs, lr 0.005`."""
    settings = spec.method.model_dump(mode="json")
    named = [f"{name} {settings[name]:g}" for name in ("alpha", "beta") if isinstance(settings.get(name), int | float)]
    epochs = f"{spec.training.epochs} epoch{'s' if spec.training.epochs > 1 else ''}"
    under = [] if spec.behaviour.name == USUAL else [spec.behaviour.behaviour.title.lower()]
    limit = [] if spec.evaluation.limit is None else [f"{spec.evaluation.limit:,} test images"]
    parts = [METHODS[spec.method.name].title, *named, epochs, f"lr {spec.training.lr:g}", *under, *limit]
    return ", ".join(parts)
