"""The torch-free facts about everything that can be named: models, data sets.

The app and the specs read them here, so neither needs torch. A test holds them against the registries.
"""

from bird_backend.catalog.datasets import (
    DATASETS,
    OWN_IMAGE_SIZE,
    OWN_KINDS,
    DatasetFacts,
    find_dataset,
    may_be_mirrored,
    own_image_size,
    own_path,
    title_of,
)
from bird_backend.catalog.networks import CATALOG_FILE, LayerFacts, ModelFacts, find_layer, find_model, models
from bird_backend.catalog.torchvision import TORCHVISION
from bird_backend.catalog.torchvision_sets import PREFIX as TORCHVISION_PREFIX
from bird_backend.catalog.torchvision_sets import TORCHVISION_SETS, TorchvisionSet, torchvision_set

__all__ = [
    "CATALOG_FILE",
    "DATASETS",
    "OWN_IMAGE_SIZE",
    "OWN_KINDS",
    "TORCHVISION",
    "TORCHVISION_PREFIX",
    "TORCHVISION_SETS",
    "DatasetFacts",
    "LayerFacts",
    "ModelFacts",
    "TorchvisionSet",
    "find_dataset",
    "find_layer",
    "find_model",
    "may_be_mirrored",
    "models",
    "own_image_size",
    "own_path",
    "title_of",
    "torchvision_set",
]
