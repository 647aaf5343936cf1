"""The networks: torchvision's own with a 32×32 stem, small ones for a CPU, their alignable layers and weights."""

from bird_backend.models.checkpoints import load_model, save_checkpoint
from bird_backend.models.measurement import measure, write_catalog
from bird_backend.models.registry import alignable_layers, build_model

__all__ = ["alignable_layers", "build_model", "load_model", "measure", "save_checkpoint", "write_catalog"]
