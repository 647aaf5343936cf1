"""The torch-free facts about everything that can be named: models, data sets.

The app and the specs read them here, so neither needs torch. A test holds them against the registries.
"""

from bird_backend.catalog.datasets import (
    DATASETS,
    DatasetFacts,
    data_name,
    find_dataset,
    known_dataset,
    may_be_mirrored,
    title_of,
)
from bird_backend.catalog.narrowing import MARK, Chosen, apart, places_of, read_classes, write_classes
from bird_backend.catalog.networks import CATALOG_FILE, LayerFacts, ModelFacts, find_layer, find_model, models
from bird_backend.catalog.own_images import OWN_IMAGE_SIZE, OWN_KINDS, own_image_size, own_path
from bird_backend.catalog.torchvision import TORCHVISION
from bird_backend.catalog.torchvision_sets import PREFIX as TORCHVISION_PREFIX
from bird_backend.catalog.torchvision_sets import TORCHVISION_SETS, TorchvisionSet, torchvision_set

__all__ = [
    "CATALOG_FILE",
    "DATASETS",
    "MARK",
    "OWN_IMAGE_SIZE",
    "OWN_KINDS",
    "TORCHVISION",
    "TORCHVISION_PREFIX",
    "TORCHVISION_SETS",
    "Chosen",
    "DatasetFacts",
    "LayerFacts",
    "ModelFacts",
    "TorchvisionSet",
    "apart",
    "data_name",
    "find_dataset",
    "find_layer",
    "find_model",
    "known_dataset",
    "may_be_mirrored",
    "models",
    "own_image_size",
    "own_path",
    "places_of",
    "read_classes",
    "title_of",
    "torchvision_set",
    "write_classes",
]
