"""What can be asked for: frozen specs that name everything a run needs and round-trip through JSON.

A spec is the only way in. Nothing else is read: the same spec, seed and code on the same device give the same run.
"""

from bird_backend.specs.documents import load_spec, override, read_spec, spec_hash
from bird_backend.specs.kinds import (
    AnalyzeSpec,
    BirdMethod,
    EvaluateSpec,
    Evaluation,
    FineTuningMethod,
    GallerySpec,
    LayerPair,
    Method,
    ModelRef,
    PretrainSpec,
    RobustifySpec,
    RunSpec,
    Snapshots,
    Spec,
    Training,
    TransferSpec,
)

__all__ = [
    "AnalyzeSpec",
    "BirdMethod",
    "EvaluateSpec",
    "Evaluation",
    "FineTuningMethod",
    "GallerySpec",
    "LayerPair",
    "Method",
    "ModelRef",
    "PretrainSpec",
    "RobustifySpec",
    "RunSpec",
    "Snapshots",
    "Spec",
    "Training",
    "TransferSpec",
    "load_spec",
    "override",
    "read_spec",
    "spec_hash",
]
