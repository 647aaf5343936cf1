"""BIRD: Behavior Induction via Representation-structure Distillation, and the machinery to explore it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
