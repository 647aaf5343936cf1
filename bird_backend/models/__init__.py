"""The networks by name, at any image size: building them, their alignable layers and weights."""

from bird_backend.models.profiling import profile, write_catalog
from bird_backend.models.registry import alignable_layers, build_model
from bird_backend.models.weights import load_model, save_tensors, save_weights

__all__ = ["alignable_layers", "build_model", "load_model", "profile", "save_tensors", "save_weights", "write_catalog"]
