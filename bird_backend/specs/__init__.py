"""What specs are made of, whatever the kind of run: networks, budgets, what is measured and what is kept."""

from bird_backend.specs.controls import CONTROLS, Control, ControlName
from bird_backend.specs.parts import (
    CheckpointName,
    DataName,
    Evaluation,
    ImageSize,
    LayerPair,
    ModelRef,
    Snapshots,
    Spec,
    Training,
)

__all__ = [
    "CONTROLS",
    "CheckpointName",
    "Control",
    "ControlName",
    "DataName",
    "Evaluation",
    "ImageSize",
    "LayerPair",
    "ModelRef",
    "Snapshots",
    "Spec",
    "Training",
]
