"""What makes a good teacher, measured on the student's own data before any transfer (BIRD §4; definitions ours).

Of a teacher's layer and a student's guided layer: probe accuracy, complementary knowledge and gamma-robust usefulness.
"""

from bird_backend.attributes.geometry import alike, effective_dimension
from bird_backend.attributes.knowledge import complementary_knowledge, complementary_rows, probe_accuracy
from bird_backend.attributes.probe import LinearProbe, fit_probe
from bird_backend.attributes.profile import LayerProfile
from bird_backend.attributes.profiling import profile_network
from bird_backend.attributes.sample import ChangedImages, Sample
from bird_backend.attributes.scale import Scale, scale_of
from bird_backend.attributes.scoring import Scores, score_layer, score_pair
from bird_backend.attributes.usefulness import (
    AGGREGATIONS,
    REDUCTIONS,
    Aggregation,
    Reduction,
    Responses,
    aggregate,
    usefulness,
    usefulness_of_each,
)

__all__ = [
    "AGGREGATIONS",
    "REDUCTIONS",
    "Aggregation",
    "ChangedImages",
    "LayerProfile",
    "LinearProbe",
    "Reduction",
    "Responses",
    "Sample",
    "Scale",
    "Scores",
    "aggregate",
    "alike",
    "complementary_knowledge",
    "complementary_rows",
    "effective_dimension",
    "fit_probe",
    "probe_accuracy",
    "profile_network",
    "scale_of",
    "score_layer",
    "score_pair",
    "usefulness",
    "usefulness_of_each",
]
