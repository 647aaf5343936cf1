"""What is measured of a network: its answers under conditions, the geometry of fixed images, CKA between layers."""

from bird_backend.evaluation.accuracy import Measured, Said, measure_accuracy
from bird_backend.evaluation.layer_map import LayerMap, measure_layer_map
from bird_backend.evaluation.probes import Probes, choose_probes, probes_among
from bird_backend.evaluation.snapshots import Geometry, Snapshotter, layer_features

__all__ = [
    "Geometry",
    "LayerMap",
    "Measured",
    "Probes",
    "Said",
    "Snapshotter",
    "choose_probes",
    "layer_features",
    "measure_accuracy",
    "measure_layer_map",
    "probes_among",
]
