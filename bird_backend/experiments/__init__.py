"""Every kind of run from top to bottom, composed of what the other packages do."""

from bird_backend.experiments.execute import execute

__all__ = ["execute"]
