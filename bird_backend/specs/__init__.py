"""What can be asked for: frozen specs that name everything a run needs and round-trip through JSON.

A spec is the only way in. Nothing else is read: the same spec, seed and code on the same device give the same run.
"""

from bird_backend.specs.documents import load_spec, override, read_spec, spec_hash
from bird_backend.specs.kinds import (
    AnalyzeSpec,
    EvaluateSpec,
    GallerySpec,
    PretrainSpec,
    RobustifySpec,
    RunSpec,
    TransferSpec,
)
from bird_backend.specs.methods import (
    BirdMethod,
    FeatureDriftMethod,
    FineTuningMethod,
    HintsMethod,
    LayerPair,
    LinearProbeMethod,
    LinearProbeThenFineTuningMethod,
    MatchingMethod,
    Method,
    OldHeadMethod,
    OracleMethod,
    ProbabilisticMethod,
    RelationalMethod,
    SimilarityPreservingMethod,
    SoftLabelsMethod,
    Start,
    StartingMethod,
    UntouchedMethod,
)
from bird_backend.specs.parts import Evaluation, ModelRef, Snapshots, Spec, Training

__all__ = [
    "AnalyzeSpec",
    "BirdMethod",
    "EvaluateSpec",
    "Evaluation",
    "FeatureDriftMethod",
    "FineTuningMethod",
    "GallerySpec",
    "HintsMethod",
    "LayerPair",
    "LinearProbeMethod",
    "LinearProbeThenFineTuningMethod",
    "MatchingMethod",
    "Method",
    "ModelRef",
    "OldHeadMethod",
    "OracleMethod",
    "PretrainSpec",
    "ProbabilisticMethod",
    "RelationalMethod",
    "RobustifySpec",
    "RunSpec",
    "SimilarityPreservingMethod",
    "Snapshots",
    "SoftLabelsMethod",
    "Spec",
    "Start",
    "StartingMethod",
    "Training",
    "TransferSpec",
    "UntouchedMethod",
    "load_spec",
    "override",
    "read_spec",
    "spec_hash",
]
