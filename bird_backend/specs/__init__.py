"""What specs are made of, whatever the kind of run: networks, budgets, what is measured and what is kept."""

from bird_backend.specs.parts import (
    CheckpointName,
    DataName,
    Evaluation,
    LayerPair,
    ModelRef,
    Snapshots,
    Spec,
    Training,
)

__all__ = [
    "CheckpointName",
    "DataName",
    "Evaluation",
    "LayerPair",
    "ModelRef",
    "Snapshots",
    "Spec",
    "Training",
]
