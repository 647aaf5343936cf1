"""What specs are made of, whatever the kind of run: networks, budgets, what is measured and what is kept."""

from bird_backend.specs.controls import CONTROLS, Control, ControlName
from bird_backend.specs.fork import Fork
from bird_backend.specs.parts import (
    IMAGE_SIZES,
    DataName,
    Evaluation,
    ImageSize,
    LayerPair,
    ModelName,
    ModelRef,
    Snapshots,
    Spec,
    Training,
    WeightsName,
)
from bird_backend.specs.preprocessing import IMAGENET_MEAN, IMAGENET_STD, OURS, Preprocessing

__all__ = [
    "CONTROLS",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "IMAGE_SIZES",
    "OURS",
    "Control",
    "ControlName",
    "DataName",
    "Evaluation",
    "Fork",
    "ImageSize",
    "LayerPair",
    "ModelName",
    "ModelRef",
    "Preprocessing",
    "Snapshots",
    "Spec",
    "Training",
    "WeightsName",
]
